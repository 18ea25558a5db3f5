"""The weights contain values that a mask does not.

## What it checks
Whether the weights in use contain anything but 0 and 1. 254 and 255 come from `~` on a uint8 mask, −1 and −2 from `~`
on a signed one: the mask was inverted as a number. Negative weights raise the loss where the model is right. Other
values are an info.

## Why it matters
`~` on integers flips every bit: 1 becomes 254 and 0 becomes 255, so padding counts most and nothing is masked.

## Example
The uint8 mask [1, 1, 0] becomes [254, 254, 255].

## How to fix
Invert a mask as a boolean: `tf.logical_not(tf.cast(mask, tf.bool))`, `~mask.bool()`.

## When it is a false alarm
Importance and class weights are intentionally fractions or small integers: they are an info. Advantages of a policy
gradient are intentionally negative.

## Threads
context_attentive_ir PR#7, addons#329
"""

import numpy as np

from lossviz.fixes import fix_of
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many

__all__ = ["RULE"]

Array = np.ndarray
_ONE = {254: "uint8", -2: "signed"}
_BOOLEAN = {
    "TensorFlow": "weights = tf.cast(tf.cast(mask, tf.bool), tf.float32)\ninverted = 1.0 - weights  # not ~mask",
    "PyTorch": "weights = mask.bool().float()\ninverted = 1.0 - weights  # not ~mask",
    "JAX": "weights = mask.astype(bool).astype(jnp.float32)\ninverted = 1.0 - weights  # not ~mask",
}
_POSITIVE = {
    "TensorFlow": "tf.debugging.assert_non_negative(weights)",
    "PyTorch": "assert (weights >= 0).all()",
    "JAX": "assert (weights >= 0).all()",
}


def _check(case: Case) -> Found | None:
    weights = case.batch.weights
    if weights is None or case.analysis.mask_name != "weights":
        return None
    for one in _ONE:
        if np.isin(weights, (one, one + 1)).all() and (weights == one).any():
            return _inverted(case, weights, one)
    if (weights < 0).any():
        return _negative(weights)
    return _fractional(case, weights)


def _inverted(case: Case, weights: Array, one: int) -> Found:
    ones, zeros = int((weights == one).sum()), int((weights != one).sum())
    return Found(
        message=f"Every weight is {one} or {one + 1}: `~` turned the 1 of a {_ONE[one]} mask into {one} "
        f"({many(ones, 'timestep')}) and its 0 into {one + 1} ({many(zeros, 'timestep')}), so nothing is masked.",
        cells=weights != 0,
        evidence={f"weights {one}": ones, f"weights {one + 1}": zeros},
        fix=_BOOLEAN,
        repaired=lambda: case.batch.replace(weights=weights == one),
    )


def _negative(weights: Array) -> Found:
    cells = weights < 0
    count = int(cells.sum())
    return Found(
        message=f"{many(count, 'weight is', 'weights are')} negative, down to {weights.min():g}: "
        "there, a lower loss raises the number.",
        cells=cells,
        evidence={"negative weights": count, "smallest weight": float(weights.min())},
        fix=_POSITIVE,
        severity="warning",
    )


def _fractional(case: Case, weights: Array) -> Found | None:
    cells = ~np.isin(weights, (0, 1))
    if not cells.any():
        return None
    total, count = float(weights.sum()), int((weights != 0).sum())
    return Found(
        message=f"{many(int(cells.sum()), 'weight is', 'weights are')} neither 0 nor 1: the weights sum to {total:.6g} "
        f"over {many(count, 'timestep')}, so dividing by the sum or by the count gives two numbers.",
        cells=cells,
        evidence={
            "sum of the weights": total,
            "weights that are not 0": count,
            "smallest": float(weights.min()),
            "largest": float(weights.max()),
        },
        fix=fix_of(["RED08"], case.analysis),
        severity="info",
    )


RULE = Rule(code="PAD15", name="odd-weights", severity="error", doc=__doc__ or "", check=_check, phase="weights")
"""Weights are a mask, or intentional values."""
