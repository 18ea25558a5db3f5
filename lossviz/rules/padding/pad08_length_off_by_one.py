"""The lengths are one too short, or one too long.

## What it checks
Whether the mask ends one timestep before the last real timestep in every sequence, or one timestep after it in every
padded sequence. At least two sequences must agree. If the mask is correct: whether the number that the training loop
printed is the one such a mask would give.

## Why it matters
If it is one too short, the end of the sequence is never trained and the model never stops. If it is one too long, each
sequence trains one pad.

## Example
On the golden batch, lengths that are one too short give 1.575, and one too long 1.0846, instead of 1.2545.

## How to fix
Include the end of the sequence in the lengths, and shift the mask together with the labels.

## When it is a false alarm
If the pad id is a real token at the end of sequences (PAD04), or is itself the end of the sequence, declare `eos_id`.

## Threads
torchtune#2792, torchtune PR#2967, TTS#1192, mlx-lm PR#1855, Practical_RL PR#558, self-critical#102
"""

import numpy as np

from lossviz.fixes import BY_LENGTH, SOURCE, Line, both, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import select
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import (
    counted_end,
    eos_of,
    is_packed,
    many,
    may_be_cut,
    pad_may_be_eos,
    pick,
    true_end,
    with_counts,
)

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    if case.analysis.mask_name not in ("lengths", "weights"):
        return None
    end, true = counted_end(case), true_end(case)
    rows = (end > 0) & (true > 0)
    padded = rows & (true < case.shape[1])
    if rows.sum() >= 2 and (end - true == -1)[rows].all():
        return _short(case, rows, padded)
    if padded.sum() >= 2 and (end - true == 1)[padded].all() and (end == true)[rows & ~padded].all():
        return None if is_packed(case) else _long(case, padded)
    return None


def _short(case: Case, rows: Array, padded: Array) -> Found | None:
    end, eos = counted_end(case), eos_of(case)
    dropped = pick(case.targets, end)[rows]
    ends = eos is not None and bool((dropped == eos).all())
    if not (ends or padded.any()) or (case.analysis.mask_name == "weights" and (ends or not _is_prefix(case))):
        return None
    if ends and eos == case.batch.pad_id and may_be_cut(case, rows):
        raise CannotTell(
            "All sequences end at one length, where they may have been truncated, and the pad id is also the end."
        )
    cells = rows[:, None] & (np.arange(case.shape[1]) == end[:, None])
    what = f"the end of the sequence, “{case.batch.token(int(dropped[0]))}”," if ends else "the last real timestep"
    count = int(rows.sum())
    return Found(
        message=f"The masks of all {count} sequences are one timestep too short: {what} never counts.",
        cells=cells,
        evidence={"sequences": count, "timesteps lost": count},
        fix=_longer(case),
        repaired=lambda: with_counts(case, case.mask | cells),
    )


def _long(case: Case, padded: Array) -> Found:
    if pad_may_be_eos(case) and eos_of(case) is None:
        raise CannotTell(
            f"In every padded sequence one pad id counts: either one too many, or the end of the sequence if that is "
            f"{case.batch.pad_id} too. Declare `eos_id` to tell them apart."
        )
    cells = padded[:, None] & (np.arange(case.shape[1]) == counted_end(case)[:, None] - 1)
    count = int(padded.sum())
    return Found(
        message=f"The masks of all {count} padded sequences are one timestep too long: "
        f"{many(count, 'pad is', 'pads are')} trained.",
        cells=cells,
        evidence={"padded sequences": count, "pads that count": count},
        fix=_shorter(case),
        repaired=lambda: with_counts(case, case.mask & ~cells),
        severity="warning",
    )


def _is_prefix(case: Case) -> bool:
    """Whether each sequence counts from its start to its end without gaps, as with lengths."""
    return bool(np.array_equal(case.mask, np.arange(case.shape[1]) < counted_end(case)[:, None]))


def _longer(case: Case) -> dict[str, str]:
    """Extend each sequence's length, or a mask that covers its beginning, by one timestep."""
    if case.batch.lengths is not None:
        return written([both("lengths = lengths + 1"), BY_LENGTH], case.analysis)
    return {
        "TensorFlow": "weights = tf.pad(weights[:, :-1], [[0, 0], [1, 0]], constant_values=1.0)",
        "PyTorch": "weights = F.pad(weights[:, :-1], (1, 0), value=1.0)",
        "JAX": "weights = jnp.pad(weights[:, :-1], ((0, 0), (1, 0)), constant_values=1.0)",
    }


def _shorter(case: Case) -> dict[str, str]:
    """Drop the last timestep where it is padding, but not in the sequences that fill T."""
    pad = case.batch.pad_id
    if case.batch.lengths is None:
        return written([select(f"targets == {pad}")], case.analysis)
    if (counted_end(case) != true_end(case))[counted_end(case) > 0].all():
        return written([both("lengths = lengths - 1"), BY_LENGTH], case.analysis)
    less = Line(
        SOURCE,
        "last = tf.gather(targets, lengths - 1, batch_dims=1)\n"
        f"lengths = lengths - tf.cast(last == {pad}, lengths.dtype)",
        f"last = targets.gather(1, lengths[:, None] - 1)[:, 0]\nlengths = lengths - (last == {pad}).long()",
        f"last = jnp.take_along_axis(targets, lengths[:, None] - 1, 1)[:, 0]\nlengths = lengths - (last == {pad})",
    )
    return written([less, BY_LENGTH], case.analysis)


RULE = Rule(
    code="PAD08",
    name="length-off-by-one",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="ends",
    requires=("PAD13",),
    needs=("pad_id",),
    checks_reported=True,
)
"""The mask ends with the sequence."""
