"""A label is not a class of the logits.

## What it checks
Whether a label is below 0 or at least V. Ignore ids that count are reported by PAD12.

## Why it matters
TensorFlow raises on CPU, but on GPU and under XLA the loss silently becomes NaN; PyTorch raises on CPU and aborts the
GPU kernel. This happens when labels start at 1, or when the vocabulary was built without a class for padding.

## Example
Four classes and label 4: `tf.nn.sparse_softmax_cross_entropy_with_logits` raises in eager mode and returns NaN under
`jit_compile=True`.

## How to fix
Give the logits one more class, or start labels at 0. Under the mask, replace ignored labels by a valid class.

## When it is a false alarm
Masked labels may hold anything as long as they are replaced before the cross entropy: those are an info. The declared
ignore id under the mask is fine.

## Threads
tensorflow#8484, tensorflow#10268, tensorflow#4443, tensorflow#15962, tensorflow#126005, hm-two-step-reco#3
"""

import numpy as np

from lossviz.batch import Batch
from lossviz.fixes import CHANGE, REPORT, WEIGHTS, Line, both, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import IGNORE_IDS, many

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    classes = case.analysis.classes
    if classes == 1:
        raise CannotTell(
            "There is only one class; the reduction classification reads one logit per timestep as a sigmoid's."
        )
    outside = (case.targets < 0) | (case.targets >= classes)
    counting = outside & case.mask & ~np.isin(case.targets, IGNORE_IDS) & (case.targets != case.batch.ignore_id)
    if counting.any():
        return _counting(case, counting, classes)
    masked = outside & ~case.mask & (case.targets != case.batch.ignore_id)
    return _masked(case, masked) if masked.any() else None


def _counting(case: Case, cells: Array, classes: int) -> Found:
    labels = case.targets[cells]
    count, low, high = int(cells.sum()), int(labels.min()), int(labels.max())
    values = f"{low}" if low == high else f"{low} to {high}"
    hint = ""
    if low == high == classes:
        hint = " The vocabulary lacks one class, often the one for padding."
        hint = " The labels start at 1." if _from_one(case, low, high, classes) else hint
    return Found(
        message=f"{many(count, 'label that counts is', 'labels that count are')} outside the classes "
        f"0 to {classes - 1}: {values}.{hint}",
        cells=cells,
        evidence={"labels": count, "smallest": low, "largest": high, "classes": classes},
        fix=_fix(case, low, high, classes),
    )


def _from_one(case: Case, low: int, high: int, classes: int) -> bool:
    """Whether all labels out of range are V, no label that counts is 0, and no target is padding."""
    return bool(low == high == classes and case.targets[case.mask].min() >= 1 and not case.is_pad.any())


def _fix(case: Case, low: int, high: int, classes: int) -> dict[str, str]:
    if _from_one(case, low, high, classes):
        return written([both(f"targets = targets - 1  # from 0 to {classes - 1}")], case.analysis)
    if low < 0:
        return written([WEIGHTS, _LEAST], case.analysis)
    room = high + 1
    return {
        "TensorFlow": f"head = tf.keras.layers.Dense({room})\nlogits = head(hidden)",
        "PyTorch": f"head = torch.nn.Linear(hidden.shape[-1], {room})\nlogits = head(hidden)",
        "JAX": "new = jax.nn.initializers.lecun_normal()\n"
        f"kernel = new(jax.random.key(0), (hidden.shape[-1], {room}))\nlogits = hidden @ kernel",
    }


_LEAST = Line(
    REPORT,
    "assert tf.reduce_min(targets[weights != 0]) >= 0",
    *2 * ("assert targets[weights != 0].min() >= 0",),
)
_CLASS = Line(
    CHANGE,
    "targets = tf.where(weights != 0, targets, 0)",
    "targets = targets.masked_fill(weights == 0, -100)",
    "targets = jnp.where(weights != 0, targets, 0)",
)


def _masked(case: Case, cells: Array) -> Found:
    values = sorted(set(case.targets[cells].tolist()))
    named = ", ".join(map(str, values[:4])) + (" …" if len(values) > 4 else "")
    count = int(cells.sum())
    return Found(
        message=f"{many(count, 'label under the mask is', 'labels under the mask are')} out of range ({named}): "
        f"TensorFlow computes {'its' if count == 1 else 'their'} loss anyway, and NaN × 0 is NaN.",
        cells=cells,
        evidence={"labels under the mask": count},
        fix=written([WEIGHTS, _CLASS], case.analysis),
        repaired=lambda: _replaced(case, cells),
        severity="info",
    )


def _replaced(case: Case, cells: Array) -> Batch:
    """A class in place of the labels; a mask that was read off them becomes weights."""
    by_id = case.analysis.mask_name in ("nonpad", "ignore_id")
    mask = {"weights": case.analysis.weights} if by_id else {}
    return case.batch.replace(targets=np.where(cells, 0, case.targets), **mask)


RULE = Rule(code="PAD13", name="label-out-of-range", severity="error", doc=__doc__ or "", check=_check)
"""Every label is a class."""
