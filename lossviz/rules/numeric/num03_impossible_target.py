"""The model rules the right answer out: the target has the logit -inf, or next to it.

## What it checks
Whether the loss of a timestep that counts is infinite, or above 88 nats, where exp(-loss) is 0 in float32. Where every
such loss is below 1,000 nats, it is an info: what masks fill in starts at -1e4.

## Why it matters
One such timestep makes the mean infinite, or larger than all others together, and pulls on the weights as hard as a
gradient can. It comes from a mask over classes, or from constrained decoding, that leaves out the label.

## Example
Logits [-inf, 0, 0] and target 0: the loss is inf.

## How to fix
Never mask out the class of the target.

## When it is a false alarm
A mask that excludes the label is always a bug. A model that is sure of itself and wrong, or whose first logits are too
large, reaches losses of some hundred nats without any mask: that is the info.

## Threads
annotated-transformer#109, annotated-transformer#39
"""

import numpy as np

from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many
from lossviz.rules.numeric._overflow import overflowed

__all__ = ["RULE"]

UNDERFLOW = 88.0
"""exp(-88) = 6e-39 lies below the smallest normal float32."""

FILLED = 1000.0
"""Nats that no model reaches by itself, while masks fill in -1e4 and less."""


def _check(case: Case) -> Found | None:
    cells = case.counts & (case.loss > UNDERFLOW) & ~_too_large(case)  # NUM06's are no mask of classes
    if not cells.any():
        return None
    count, infinite = int(cells.sum()), int(np.isposinf(case.loss[cells]).sum())
    row, timestep = np.argwhere(cells)[0]
    token = case.batch.token(int(case.targets[row, timestep]))
    what = "the logit −inf" if infinite == count else "a logit so low that exp(−loss) is 0"
    return Found(
        message=f"{many(count, 'target that counts has', 'targets that count have')} {what}, first “{token}” at "
        f"sequence {row}, timestep {timestep}.",
        cells=cells,
        evidence={
            "timesteps": count,
            "infinite losses": infinite,
            "largest loss": float(case.loss[cells].max()),
            "mean loss without them": _without(case, cells),
        },
        fix=_fix(case),
        severity=None if (case.loss[cells] >= FILLED).any() else "info",
    )


def _too_large(case: Case) -> np.ndarray:
    """Where the logits overflowed, [B, T]; everywhere, where float16 did: the others are as large."""
    cells = overflowed(case)
    is_half = case.logits.dtype.name == "float16" and (cells & case.counts).any()
    return cells | is_half


def _fix(case: Case) -> dict[str, str]:
    """The class of the target is allowed, whatever the others; an ignore id is none."""
    classes = case.shape[2]
    labels = "targets.clamp(min=0)" if (case.targets < 0).any() else "targets"
    return {
        "TensorFlow": f"keep = allowed | tf.cast(tf.one_hot(targets, {classes}), tf.bool)\n"
        "logits = tf.where(keep, tf.cast(logits, tf.float32), -1e9)",
        "PyTorch": f"keep = allowed | F.one_hot({labels}, {classes}).bool()\n"
        "logits = logits.float().masked_fill(~keep, -1e9)",
    }


def _without(case: Case, cells: np.ndarray) -> float | str:
    others = case.counts & ~cells & np.isfinite(case.loss)
    if not others.any():
        return "no other counts"
    weights = case.analysis.weights[others]
    return float((weights * case.loss[others]).sum() / weights.sum())


RULE = Rule(
    code="NUM03", name="impossible-target", severity="error", doc=__doc__ or "", check=_check, needs=("logits",)
)
"""Every target can be predicted."""
