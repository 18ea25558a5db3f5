"""The model rules out the correct answer: the target's logit is -inf, or nearly so.

## What it checks
Whether the loss of a timestep that counts is infinite, or above 88 nats, where exp(-loss) is 0 in float32. If every
such loss is below 1,000 nats, it is only an info: masks fill in -1e4 or less, which would give larger losses.

## Why it matters
A single such timestep makes the mean infinite, or outweighs all others, and its gradient is as large as possible. The
cause is a mask over classes, or constrained decoding, that excludes the label.

## Example
Logits [-inf, 0, 0] with target 0: the loss is inf.

## How to fix
Never mask out the target's class.

## When it is a false alarm
A mask that excludes the label is always a bug. A model that is confident and wrong, or whose initial logits are too
large, reaches losses of a few hundred nats without any mask; that is the info.

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
"""No model reaches this many nats by itself, while masks fill in -1e4 or less."""


def _check(case: Case) -> Found | None:
    cells = case.mask & (case.loss > UNDERFLOW) & ~_too_large(case)  # an overflow is NUM06's
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
    """Where the logits overflowed, [B, T]; everywhere if they are float16, since the others are as large."""
    cells = overflowed(case)
    is_half = case.logits.dtype.name == "float16" and (cells & case.mask).any()
    return cells | is_half


def _fix(case: Case) -> dict[str, str]:
    """Always allow the target's class; an ignore id is not a class."""
    classes = case.shape[2]
    labels = "targets.clamp(min=0)" if (case.targets < 0).any() else "targets"
    return {
        "TensorFlow": f"keep = allowed | tf.cast(tf.one_hot(targets, {classes}), tf.bool)\n"
        "logits = tf.where(keep, tf.cast(logits, tf.float32), -1e9)",
        "PyTorch": f"keep = allowed | F.one_hot({labels}, {classes}).bool()\n"
        "logits = logits.float().masked_fill(~keep, -1e9)",
        "JAX": f"keep = allowed | jax.nn.one_hot(targets, {classes}, dtype=bool)\n"
        "logits = jnp.where(keep, logits.astype(jnp.float32), -1e9)",
    }


def _without(case: Case, cells: np.ndarray) -> float | str:
    others = case.mask & ~cells & np.isfinite(case.loss)
    if not others.any():
        return "no other timestep counts"
    weights = case.analysis.weights[others]
    return float((weights * case.loss[others]).sum() / weights.sum())


RULE = Rule(
    code="NUM03", name="impossible-target", severity="error", doc=__doc__ or "", check=_check, needs=("logits",)
)
"""Every target can be predicted."""
