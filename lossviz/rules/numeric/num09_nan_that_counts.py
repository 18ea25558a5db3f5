"""Logits that count are NaN, so the number is NaN.

## What it checks
Whether the softmax of a timestep that counts is NaN: its logits contain NaN, or are all -inf.

## Why it matters
One NaN makes the loss NaN, and the next training step makes every parameter of the model NaN.

## Example
The logits of one timestep out of 11 are NaN: the mean of the other ten is 1.2 nats, but the number is NaN.

## How to fix
No mask fixes this: find the first operation that produces NaN. If all timesteps are NaN, the model's parameters are
NaN already (too large a step, or an earlier loss divided by 0). If a sequence is NaN from one timestep to its end, a
state overflowed.

## When it is a false alarm
Never. A masked NaN is reported by NUM01, and an overflow of half precision by NUM06.

## Threads
No thread of its own: it covers what NUM01 to NUM06 leave unexplained.
"""

import numpy as np

from lossviz.fixes import REPORT, WEIGHTS, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many
from lossviz.rules.numeric._nonfinite import broken_rows

__all__ = ["RULE"]

_FIRST = {
    "TensorFlow": "tf.debugging.enable_check_numerics()  # names the first operation that gives NaN or infinity",
    "JAX": 'jax.config.update("jax_debug_nans", True)  # stops at the first operation that gives NaN',
}
_ASSERTED = Line(
    REPORT,
    "",
    "torch.autograd.set_detect_anomaly(True)  # names the first operation whose gradient is NaN\n"
    "assert logits[weights != 0].isfinite().all()",
    "",
)


def _check(case: Case) -> Found | None:
    cells = broken_rows(case) & case.mask
    if not cells.any():
        return None
    count, counting = int(cells.sum()), int(case.mask.sum())
    row, timestep = np.argwhere(cells)[0]
    first = "" if count == counting else f", first in sequence {row} at timestep {timestep}"
    said = (
        f"All {many(count, 'timestep')} that count"
        if count == counting
        else f"{count:,} of {many(counting, 'timestep')} that count"
    )
    return Found(
        message=f"{said} {'has' if count == 1 < counting else 'have'} NaN logits{first}: the number is NaN.",
        cells=cells,
        evidence={
            "timesteps that count": counting,
            "of them NaN": count,
            "sequences that hold one": int(cells.any(axis=1).sum()),
        },
        fix=written([WEIGHTS, _ASSERTED], case.analysis) | _FIRST,
    )


RULE = Rule(
    code="NUM09",
    name="nan-that-counts",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="numbers",
    requires=(
        "NUM03",
        "NUM06",
    ),
    needs=("logits",),
)
"""Every logit that counts is a number."""
