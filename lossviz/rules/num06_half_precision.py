"""The logits are in half precision, or overflowed it.

## What it checks
Whether logits that count are +inf, at the largest number of float16, or in float16 -inf beside very large ones;
whether the logits are float16 or bfloat16; and
whether wider logits hold only values that one of these has.

## Why it matters
float16 ends at 65,504: more becomes inf, and the loss NaN. bfloat16 has 8 bits: near 36 its numbers lie 0.25 apart, and
a loss that is computed in it is as coarse.

## Example
`float16(-1e9)` is -inf; `bfloat16(36.1)` is 36.0.

## How to fix
Compute the logits in float32, since what overflowed is lost; widen those of half precision before the loss; mask with
half of the smallest number that the type has.

## When it is a false alarm
Logits that were rounded only when they were saved, while the loop computes its loss in float32: so everything but an
overflow is an info.

## Threads
flax#982, apex#93, apex#1105, fairseq#3575, Automodel PR#2658,
optax#1020, modalities PR#464, marin PR#8217, torchtitan#2336
"""

import numpy as np

from lossviz.rules._case import Case
from lossviz.rules._nonfinite import broken_rows
from lossviz.rules._rows import many
from lossviz.rules._rule import Found, Rule

__all__ = ["RULE", "stored_as"]

Array = np.ndarray
BITS = {"bfloat16": 8, "float16": 11}
"""Significant bits, the hidden one counted."""
LARGEST = 65504.0
WIDE = {
    "TensorFlow": "logits = tf.cast(logits, tf.float32)  # before the loss\n"
    "scores = tf.where(attention_mask, scores, scores.dtype.min / 2)",
    "PyTorch": "logits = logits.float()  # before the loss\n"
    "scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min / 2)",
}


def stored_as(logits: Array) -> str | None:
    """The half precision whose values float32 or float64 logits hold, all of them, or None.

    Round numbers say nothing: 16 different values must need the last two bits.

    >>> grid = np.arange(128, 256, dtype=np.float32).reshape(1, 1, -1)
    >>> stored_as(grid), stored_as(grid + 0.125), stored_as(grid + 0.1), stored_as(grid // 32)
    ('bfloat16', 'float16', None, None)
    """
    candidates = list(BITS)
    last_bits: set[float] = set()
    for place in np.ndindex(*logits.shape[:2]):  # row by row: most end at the first
        row = logits[place]
        fractions = np.frexp(row[np.isfinite(row)].astype(np.float64))[0]
        candidates = [name for name in candidates if _whole(fractions * 2 ** BITS[name]).all()]
        if not candidates:
            return None
        if len(last_bits) < 16:
            last_bits |= {*fractions[~_whole(fractions * 2 ** (BITS[candidates[0]] - 2))].tolist()}
    return candidates[0] if len(last_bits) >= 16 else None


def _check(case: Case) -> Found | None:
    return _overflow(case) or _coarse(case)


def _overflow(case: Case) -> Found | None:
    cells = case.counts & (_infinite(case) | _at_the_end(case) | _below(case))
    if not cells.any():
        return None
    infinite = int((cells & _infinite(case)).sum())
    count = int(cells.sum())
    below = bool((cells & _below(case)).any())
    what = "logits of +inf" if infinite == count else f"logits of {'±' * below}65,504 or {'∞' if below else '+inf'}"
    return Found(
        message=f"{many(count, 'timestep that counts has', 'timesteps that count have')} {what}, as float16 makes of "
        "anything above 65,504.",
        cells=cells,
        evidence={"timesteps": count, "with +inf": infinite, "dtype": case.batch.logits.dtype.name},
        fix=_wide_head(case.shape[2]),
    )


def _wide_head(classes: int) -> dict[str, str]:
    """What overflowed is lost: the logits have to be computed in float32."""
    return {
        "TensorFlow": f'head = tf.keras.layers.Dense({classes}, dtype="float32")  # under mixed precision too\n'
        "logits = head(hidden)",
        "PyTorch": "logits = head.float()(hidden.float())  # outside of torch.autocast",
    }


def _coarse(case: Case) -> Found | None:
    logits = case.batch.logits
    kept = logits.dtype.name
    name = kept if kept in BITS else stored_as(logits)
    if name is None or not case.counts.any():
        return None
    largest = _largest(case)
    step = 2.0 ** (np.floor(np.log2(largest)) + 1 - BITS[name]) if largest else 0.0
    how = "are" if kept == name else f"are {kept}, but every value is one of"
    return Found(
        message=f"The logits {how} {name}, whose numbers lie {step:.4g} apart near the largest logit, {largest:.4g}: "
        "a loss computed in it is as coarse.",
        cells=case.counts.copy(),
        evidence={"dtype": kept, "precision": name, "largest logit": largest, "distance of its neighbours": step},
        fix=WIDE,
        severity="info",
    )


def _largest(case: Case) -> float:
    """The largest |logit| among the first choices that count."""
    tops = np.abs(_tops(case)[case.counts])
    return float(tops[np.isfinite(tops)].max(initial=0.0))


def _at_the_end(case: Case) -> Array:
    half = case.batch.logits.dtype.name == "float16"
    reached: Array = (np.abs(_tops(case)) >= LARGEST) & half
    return reached


def _below(case: Case) -> Array:
    """Timesteps of float16 with a logit of −inf beside finite ones so large that it overflowed: no mask of classes."""
    if case.batch.logits.dtype.name != "float16":
        return case.nothing
    scores = case.analysis.scores
    with np.errstate(invalid="ignore"):
        large = (np.isfinite(scores) & (np.abs(scores) > LARGEST / 8)).any(axis=-1)
    below: Array = np.isneginf(scores).any(axis=-1) & large
    return below


def _infinite(case: Case) -> Array:
    cells = broken_rows(case) & (case.analysis.non_finite > 0)
    cells[cells] = np.isposinf(case.analysis.scores[cells].astype(np.float64)).any(axis=-1)
    return cells


def _tops(case: Case) -> Array:
    top = case.analysis.top_classes[..., :1].astype(np.int64)
    scores: Array = np.take_along_axis(case.analysis.scores, top, axis=2)[..., 0].astype(np.float64)
    return scores


def _whole(values: Array) -> Array:
    whole: Array = values == np.trunc(values)
    return whole


RULE = Rule(code="NUM06", name="half-precision", severity="error", doc=__doc__ or "", check=_check)
"""The logits have the precision that the loss needs."""
