"""The mask was built from the inputs instead of the targets.

## What it checks
Whether exactly the timesteps whose input is not the pad id count, while the targets need another mask: each padded
sequence trains one pad, or loses a target. If the inputs start with the pad id, as T5's decoder inputs do, the first
target is lost. Where prompts don't count: whether the whole mask stands one timestep late, and trains the pad after
each end, or one early, and trains the last token of each prompt but no end. If the mask is correct: whether the number
that the training loop printed is the one such a mask would give.

## Why it matters
The model learns to generate padding after its last token, or never to generate that token.

## Example
Tokens [4, 5, 1, 0, 0]: inputs [4, 5, 1, 0], targets [5, 1, 0, 0]. The mask of the inputs is [1, 1, 1, 0] and trains
the pad at timestep 2; the mask of the targets is [1, 1, 0, 0].

## How to fix
Shift the mask with the targets, or put the ignore id into the labels before shifting them.

## When it is a false alarm
If the pad id is also the end of sequence, the first pad is the real end and should count. A length that is one too
long looks the same; the inputs reveal the cause, or the token in which the prompts end.

## Threads
self-critical#102, bionemo-recipes PR#1449, transformers PR#46204
"""

import numpy as np

from lossviz.batch import Batch
from lossviz.fixes import by_condition, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import content, many, pad_may_be_eos, tail, trained_padding, with_counts
from lossviz.rules.shift._late_masks import Moved, moved_mask

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    moved = moved_mask(case)
    if moved is not None:
        return _of_the_answers(case, moved)
    if case.lacks(("inputs",)):
        raise CannotTell(case.missing(("inputs",)))
    return _of_the_inputs(case)


def _of_the_answers(case: Case, moved: Moved) -> Found:
    counts = moved.weights != 0
    trained, lost, rows = case.mask & ~counts, counts & ~case.mask, int(moved.rows.sum())
    if moved.late > 0 and not trained.any():
        what = f"it leaves out the first token of each answer, in {many(rows, 'sequence')}"
    elif moved.late > 0:
        what = f"it trains the pad after the end of {many(rows, 'sequence')}, and not the first token of each answer"
    else:
        what = f"it trains the last token of each prompt, and not the end of {many(rows, 'sequence')}"
    return Found(
        message=f"The mask is one timestep {'late' if moved.late > 0 else 'early'}: {what}. All of it moves.",
        cells=trained | lost,
        evidence={"timesteps that should not count": int(trained.sum()), "timesteps left out": int(lost.sum())},
        fix=_SHIFTED,
        repaired=lambda: _repaired(case, moved),
    )


def _repaired(case: Case, moved: Moved) -> Batch:
    if case.analysis.mask_name == "ignore_id":
        return case.batch.replace(targets=moved.targets)
    return case.batch.replace(weights=moved.weights, targets=moved.targets)


def _of_the_inputs(case: Case) -> Found | None:
    inputs, pad = case.batch.inputs, case.batch.pad_id
    if inputs is None or pad is None or not np.array_equal(case.mask, inputs != pad):
        return None
    after, inside = tail(case), content(case)
    trained = case.mask & after
    lost = inside & ~case.mask & ~case.is_pad
    if not trained.any() and lost[:, 0].all() and not lost[:, 1:].any():
        return _first_lost(case, lost)
    padded = after.any(axis=1) & inside.any(axis=1)
    if not padded.any() or not (trained.sum(axis=1)[padded] == 1).all():
        return None
    if pad_may_be_eos(case) and not trained_padding(case).any():
        raise CannotTell(f"The pad id {pad} that counts may be the end of the sequence. Declare `eos_id` to tell.")
    cells = trained | lost
    dropped = f", and drops {many(int(lost.sum()), 'target')}" if lost.any() else ""
    return Found(
        message=f"The mask was built from the inputs: it trains {many(int(trained.sum()), 'pad')}, one in each of "
        f"{many(int(padded.sum()), 'padded sequence')}{dropped}.",
        cells=cells,
        evidence={
            "pads that count": int(trained.sum()),
            "targets that don't": int(lost.sum()),
            "padded sequences": int(padded.sum()),
        },
        fix=_fix(case, pad),
        repaired=lambda: with_counts(case, case.mask & ~trained | lost),
    )


def _first_lost(case: Case, lost: Array) -> Found:
    pad, rows = case.batch.pad_id or 0, len(lost)
    first = np.unique(case.targets[:, 0])
    if first.size == 1 and (rows > 1 or first[0] == case.batch.ignore_id):
        raise CannotTell("The first target is the same in every sequence: a start token, which is not trained.")
    return Found(
        message=f"The mask was built from the inputs, which start with the pad id {pad}: it drops the first target of "
        f"{'the sequence' if rows == 1 else f'all {rows:,} sequences'}.",
        cells=lost,
        evidence={"pads that count": 0, "targets that don't": rows, "padded sequences": 0},
        fix=_fix(case, pad),
        repaired=lambda: with_counts(case, case.mask | lost),
    )


def _fix(case: Case, pad: int) -> dict[str, str]:
    return written([by_condition(f"targets != {pad}").saying(f"not inputs != {pad}")], case.analysis)


_SHIFTED = {
    "TensorFlow": "targets, weights = tokens[:, 1:], tf.cast(mask[:, 1:], tf.float32)  # the same timesteps",
    "PyTorch": "targets, weights = tokens[:, 1:], mask[:, 1:].float()  # the same timesteps",
    "JAX": "targets, weights = tokens[:, 1:], mask[:, 1:].astype(jnp.float32)  # the same timesteps",
}


RULE = Rule(
    code="SHF05",
    name="mask-of-the-inputs",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="alignment",
    needs=("pad_id",),
    checks_reported=True,
)
"""The mask is built from the targets."""
