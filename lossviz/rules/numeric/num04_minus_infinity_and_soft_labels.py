"""Some classes have a logit of -inf, which label smoothing and dense labels turn into inf or NaN.

## What it checks
Whether logits of timesteps that count are -inf in classes other than the target, while the loss is finite.

## Why it matters
With a hard label, those classes never enter the loss. A smoothed label gives each of them some mass: mass · inf = inf.
A one-hot label multiplies them by 0: 0 · inf = NaN.

## Example
One -inf beside an allowed target: the sparse cross entropy is 0.763, TensorFlow's dense one is NaN, and label
smoothing gives inf in TensorFlow and PyTorch.

## How to fix
Mask classes with a large negative float32 number, or smooth over the allowed classes only.

## When it is a false alarm
With hard labels and no smoothing, -inf is harmless. It is an error only if the printed number is not finite.

## Threads
optax#896, pytext PR#1698, annotated-transformer#109
"""

import math

import numpy as np

from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.fixes import LOSSES, MEAN, SOURCE, WEIGHTS, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many

__all__ = ["RULE"]

_FIX = (
    Line(
        SOURCE,
        "logits = tf.maximum(tf.cast(logits, tf.float32), -1e9)",
        "logits = logits.float().clamp(min=-1e9)",
        "logits = logits.astype(jnp.float32).clip(min=-1e9)",
    ),
    WEIGHTS,
    LOSSES,
    MEAN,
)


def _check(case: Case) -> Found | None:
    # The loss is finite and the softmax has no NaN, so any non-finite logit is -inf and not the target's.
    cells = case.mask & (case.analysis.non_finite > 0) & np.isfinite(case.loss)
    if not cells.any():
        return None
    count, logits = int(cells.sum()), int(case.analysis.non_finite[cells].sum())
    return Found(
        message=f"{many(count, 'timestep that counts has', 'timesteps that count have')} a logit of −inf in "
        f"{many(logits, 'class', 'classes')}{' in total' if count > 1 else ''}: {_effect(case)}.",
        cells=cells,
        evidence={"timesteps": count, "-inf logits": logits},
        fix=written(_FIX, case.analysis),
        repaired=lambda: _finite(case, cells),
        severity="error" if _is_proved(case) else "info",
    )


def _effect(case: Case) -> str:
    if not _is_proved(case):
        return "label smoothing would make the loss infinite, and dense labels would make it NaN"
    value = number_text(case.analysis.value) if case.analysis.is_scalar else "finite"
    return (
        f"the printed {case.batch.reported} comes from smoothed or dense labels; with hard labels the loss is {value}"
    )


def _is_proved(case: Case) -> bool:
    reported = case.batch.reported
    return (
        reported is not None
        and not math.isfinite(float(reported))
        and bool(np.isfinite(case.loss[case.mask]).all() and not (~np.isfinite(case.loss)).any())
    )


def _finite(case: Case, cells: np.ndarray) -> Batch:
    logits = np.array(case.logits)
    least = -1e4 if logits.dtype.itemsize == 2 else -1e9
    rows = logits[cells]
    rows[np.isneginf(rows.astype(np.float64))] = least
    logits[cells] = rows
    return case.batch.replace(logits=logits)


RULE = Rule(
    code="NUM04",
    name="minus-infinity-and-soft-labels",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="numbers",
    requires=(
        "NUM01",
        "NUM03",
    ),
    needs=("logits",),
)
"""No class is ruled out with -inf."""
