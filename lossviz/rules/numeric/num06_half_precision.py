"""The logits are in half precision, or overflowed it.

## What it checks
Whether logits that count are +inf or the largest float16 number, or are float16 with -inf beside very large values;
whether the logits are float16 or bfloat16; and whether wider logits hold only values of one of these types.

## Why it matters
float16 ends at 65,504: anything larger becomes inf, and the loss NaN. bfloat16 has 8 significant bits: near 36 its
values are 0.25 apart, and a loss computed in bfloat16 is just as coarse.

## Example
`float16(-1e9)` is -inf; `bfloat16(36.1)` is 36.0.

## How to fix
If logits overflowed, compute them in float32, because the overflowed values are lost. Cast half-precision logits to
float32 before the loss. For masks, use half of the type's smallest number.

## When it is a false alarm
If the logits were rounded only when they were saved, and the training loop computes its loss in float32. Everything
except an overflow is therefore an info.

## Threads
flax#982, apex#93, apex#1105, fairseq#3575, Automodel PR#2658,
optax#1020, modalities PR#464, marin PR#8217, torchtitan#2336
"""

import numpy as np

from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many
from lossviz.rules.numeric._overflow import infinite_rows, overflowed, overflowed_below

__all__ = ["RULE", "stored_as"]

Array = np.ndarray
BITS = {"bfloat16": 8, "float16": 11}
"""Significant bits, including the hidden one."""
WIDE = {
    "TensorFlow": "logits = tf.cast(logits, tf.float32)  # before the loss\n"
    "scores = tf.where(attention_mask, scores, scores.dtype.min / 2)",
    "PyTorch": "logits = logits.float()  # before the loss\n"
    "scores = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min / 2)",
    "JAX": "logits = logits.astype(jnp.float32)  # before the loss\n"
    "scores = jnp.where(attention_mask, scores, jnp.finfo(scores.dtype).min / 2)",
}


def stored_as(logits: Array) -> str | None:
    """The half-precision type that represents every value of float32 or float64 logits, or None.

    Round numbers prove nothing, so 16 different values must need the last two bits.

    >>> grid = np.arange(128, 256, dtype=np.float32).reshape(1, 1, -1)
    >>> stored_as(grid), stored_as(grid + 0.125), stored_as(grid + 0.1), stored_as(grid // 32)
    ('bfloat16', 'float16', None, None)
    """
    candidates = list(BITS)
    last_bits: set[float] = set()
    for place in np.ndindex(*logits.shape[:2]):  # row by row: most batches end at the first
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
    cells = case.mask & overflowed(case)
    if not cells.any():
        return None
    infinite = int((cells & infinite_rows(case)).sum())
    count = int(cells.sum())
    below = bool((cells & overflowed_below(case)).any())
    what = "logits of +inf" if infinite == count else f"logits of {'±' * below}65,504 or {'∞' if below else '+inf'}"
    return Found(
        message=f"{many(count, 'timestep that counts has', 'timesteps that count have')} {what}, which is what "
        "float16 makes of anything above 65,504.",
        cells=cells,
        evidence={"timesteps": count, "with +inf": infinite, "dtype": case.logits.dtype.name},
        fix=_wide_head(case.shape[2]),
    )


def _wide_head(classes: int) -> dict[str, str]:
    """Overflowed values are lost, so the logits must be computed in float32."""
    return {
        "TensorFlow": f'head = tf.keras.layers.Dense({classes}, dtype="float32")  # under mixed precision too\n'
        "logits = head(hidden)",
        "PyTorch": "logits = head.float()(hidden.float())  # outside of torch.autocast",
        "JAX": "logits = jnp.matmul(hidden, kernel, preferred_element_type=jnp.float32)",
    }


def _coarse(case: Case) -> Found | None:
    logits = case.logits
    kept = logits.dtype.name
    name = kept if kept in BITS else stored_as(logits)
    if name is None or not case.mask.any():
        return None
    largest = _largest(case)
    step = 2.0 ** (np.floor(np.log2(largest)) + 1 - BITS[name]) if largest else 0.0
    how = f"are {name}, whose" if kept == name else f"are {kept}, but hold only {name} values, whose"
    return Found(
        message=f"The logits {how} spacing is {step:.4g} near the largest logit, {largest:.4g}: "
        f"a loss computed in {name} is just as coarse.",
        cells=case.mask.copy(),
        evidence={"dtype": kept, "precision": name, "largest logit": largest, "distance of its neighbours": step},
        fix=WIDE,
        severity="info",
    )


def _largest(case: Case) -> float:
    """The largest |logit| among the top logits of the timesteps that count."""
    sizes = np.abs(case.analysis.largest_logit[case.mask])
    return float(sizes[np.isfinite(sizes)].max(initial=0.0))


def _whole(values: Array) -> Array:
    whole: Array = values == np.trunc(values)
    return whole


RULE = Rule(code="NUM06", name="half-precision", severity="error", doc=__doc__ or "", check=_check, needs=("logits",))
"""The logits have the precision that the loss needs."""
