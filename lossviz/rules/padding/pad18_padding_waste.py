"""More than half of the batch is padding.

## What it checks
How much of the batch lies outside its sequences, by the lengths or the pad ids, and how many columns at the end no
sequence reaches.

## Why it matters
The loss is correct, but more than half of the computation is wasted; and the more padding there is, the larger the
error of a loss that forgets the mask (PAD01) or divides by all timesteps (PAD02).

## Example
The golden batch fills 11 of 15 timesteps, 73 %, so the rule stays silent. Lengths 8, 2 and 2 with T = 8 fill half of
it.

## How to fix
Group sequences of similar length (bucketing), or pack several into one row.

## When it is a false alarm
Never wrong, but a compiler or an accelerator may require a fixed T.

## Threads
tensorflow#39146
"""

import numpy as np

from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many, padding

__all__ = ["RULE"]


def _check(case: Case) -> Found | None:
    within = ~padding(case) if case.within_length is None else case.within_length
    cells, filled = within.size, int(within.sum())
    if 2 * filled >= cells:
        return None
    lengths, timesteps = within.sum(axis=1), case.shape[1]
    spare = timesteps - int(np.where(within, np.arange(1, timesteps + 1), 0).max())
    bounds = sorted({timesteps // 4 + 1, timesteps // 2 + 1})
    return Found(
        message=f"{100 * filled / cells:.0f} % of the batch is filled: {filled:,} of {many(cells, 'timestep')}, in "
        f"sequences of {lengths.min()} to {lengths.max()}"
        + (f", and no sequence reaches the last {many(spare, 'column')}." if spare else "."),
        cells=~within,
        evidence={
            "timesteps filled": filled,
            "timesteps": cells,
            "fill fraction": filled / cells,
            "columns to spare": spare,
            "shortest": int(lengths.min()),
            "median length": float(np.median(lengths)),
            "longest": int(lengths.max()),
        },
        fix={
            "TensorFlow": f"dataset = dataset.bucket_by_sequence_length(tf.size, {bounds}, "
            f"[batch_size] * {len(bounds) + 1})",
            "PyTorch": "batches = lengths.argsort().split(batch_size)  # of similar lengths",
            "JAX": "cuts = range(batch_size, len(lengths), batch_size)\n"
            "batches = jnp.split(lengths.argsort(), list(cuts))  # of similar lengths",
        },
    )


RULE = Rule(
    code="PAD18",
    name="padding-waste",
    severity="info",
    doc=__doc__ or "",
    check=_check,
    phase="shape",
    requires=("PAD10",),
)
"""At least half of the batch is sequences."""
