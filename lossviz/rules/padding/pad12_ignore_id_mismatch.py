"""Labels hold an ignore id that the loss does not know.

## What it checks
Whether a label that counts is −100 or −1, the ignore ids of PyTorch and nanoGPT, or the declared ignore id; and, if
the mask is built from ignore ids, whether sequences end in pad ids that were not replaced.

## Why it matters
A label of −100 is not a class: TensorFlow raises on CPU and returns NaN on GPU and under XLA. Pad ids that were not
replaced are trained like words.

## Example
Targets [5, 6, 0, 0] with pad id 0 and ignore id −100: no label is −100, so two pads are trained.

## How to fix
Compare with the id that the labels actually hold, and give the cross entropy a valid class where the label is ignored.

## When it is a false alarm
The rule stays silent if another mask already removes these timesteps, about a pad id inside the text (PAD04), and
about the one pad id that is also the end of the sequence.

## Threads
nanoGPT#323, nanoGPT PR#334, transformers#9770, transformers PR#9847, transformers PR#6804, transformers#6238,
transformers#16455, tf-keras#734, CodeXGLUE#122
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from lossviz.batch import Batch
from lossviz.fixes import CHANGE, SOURCE, WEIGHTS, Line, both, by_condition, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import select
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import (
    IGNORE_IDS,
    agrees_with_ignore,
    many,
    pad_may_be_eos,
    trained_padding,
    with_counts,
)

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    declared = () if case.batch.ignore_id is None else (case.batch.ignore_id,)
    cells = case.mask & np.isin(case.targets, (*IGNORE_IDS, *declared))
    return _ignored(case, cells) if cells.any() else _half_replaced(case)


def _ignored(case: Case, cells: Array) -> Found:
    values = Counter(case.targets[cells].tolist())
    named = ", ".join(
        f"{value} ({'once' if count == 1 else f'{count} times'})" for value, count in values.most_common()
    )
    used = next(iter(values))
    known = case.batch.ignore_id
    why = "no ignore id is declared" if known is None else f"the ignore id is {known}"
    why = f"the mask in use is {case.analysis.mask_name!r}" if known in values else why
    count = int(cells.sum())
    return Found(
        message=f"{many(count, 'timestep counts although its label is', 'timesteps count although their labels are')} "
        f"an ignore id, {named}: {why}.",
        cells=cells,
        evidence={"labels that count": int(case.mask.sum()), "of them ignore ids": count},
        fix=_fix(case, values),
        repaired=lambda: _declare(case, cells, used if known is None else known),
    )


def _declare(case: Case, cells: Array, ignore: int) -> Batch:
    """Mask the ignored labels, and set them to the declared id."""
    targets = np.where(cells, ignore, case.targets)
    return with_counts(case, case.mask & ~cells).replace(targets=targets, ignore_id=ignore)


def _half_replaced(case: Case) -> Found | None:
    pad = case.batch.pad_id
    by_id = case.analysis.mask_name == "ignore_id" or (
        case.analysis.mask_name == "weights" and agrees_with_ignore(case)
    )
    cells = trained_padding(case)
    if not by_id or pad is None or not cells.any():
        return None
    ignore = -100 if case.batch.ignore_id is None else case.batch.ignore_id
    count, rows = int(cells.sum()), int(cells.any(axis=1).sum())
    return Found(
        message=f"{many(count, 'timestep')} at the end of {many(rows, 'sequence')} still {_hold(count)} the pad id "
        f"{pad} instead of the ignore id {ignore}, so {'it is' if count == 1 else 'they are'} trained.",
        cells=cells,
        evidence={"pad ids that count": count, "ignore ids": int((case.targets == ignore).sum())},
        fix=_replace(case, pad, ignore, by_id=not pad_may_be_eos(case)),
        repaired=lambda: with_counts(case, case.mask & ~cells),
    )


def _hold(count: int) -> str:
    return "holds" if count == 1 else "hold"


def _replace(case: Case, pad: int, ignore: int, *, by_id: bool) -> dict[str, str]:
    real = f"targets != {pad}" if by_id else "attention_mask != 0"
    replaced = Line(
        SOURCE, *(f"targets = {module}.where({real}, targets, {ignore})" for module in ("tf", "torch", "jnp"))
    )
    return written([replaced, by_condition(f"targets != {ignore}")], case.analysis)


def _fix(case: Case, values: Iterable[int]) -> dict[str, str]:
    """Set the weight to 0 where the label is an ignore id, and put a valid class in its place."""
    ignored = " | ".join(f"(targets == {value})" for value in values)
    lines = [both(f"ignored = {ignored}"), WEIGHTS, select("ignored"), _CLASS]
    return written(lines, case.analysis)


_CLASS = Line(
    CHANGE,
    "targets = tf.where(ignored, tf.zeros_like(targets), targets)",
    "targets = targets.masked_fill(ignored, 0)",
    "targets = jnp.where(ignored, 0, targets)",
)


RULE = Rule(
    code="PAD12",
    name="ignore-id-mismatch",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="ids",
    requires=("SHF05",),
)
"""The loss ignores exactly the labels marked as ignored."""
