"""Padding has nothing but NaN logits: the attention had no key left to attend to.

## What it checks
Whether the timesteps whose V logits are all NaN are exactly the padding of the batch, its empty sequences, or the
padding before its sequences.

## Why it matters
A query without any allowed key takes a softmax over nothing but -inf, which is 0 / 0. The NaN propagates through every
later layer; masking with `where` keeps the loss finite, but not the gradient.

## Example
The softmax of [-inf, -inf, -inf] is [NaN, NaN, NaN]. PyTorch's `scaled_dot_product_attention` returns 0 as of 2.15.

## How to fix
Mask keys, not queries, and leave every query at least one key, or set the output to 0 where there is none. Then mask
the logits before the cross entropy.

## When it is a false alarm
If the model diverged, timesteps that count are NaN as well; the rule does not fire.

## Threads
pytorch#41508, pytorch#103749, pytorch#109517, pytorch PR#131060, returnn#576, burn PR#4697
"""

import numpy as np

from lossviz.fixes import SAFE, SOURCE, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many
from lossviz.rules.numeric._nonfinite import leaks, sanitised

__all__ = ["RULE"]

Array = np.ndarray
_ATTENTION = Line(
    SOURCE,
    "any_key = tf.reduce_any(attention_mask, axis=-1, keepdims=True)\n"
    "attention = tf.nn.softmax(tf.where(attention_mask, scores, scores.dtype.min / 2))\n"
    "attention = tf.where(any_key, attention, 0.0)",
    "any_key = attention_mask.any(-1, keepdim=True)\n"
    "attention = scores.masked_fill(~attention_mask, torch.finfo(scores.dtype).min / 2).softmax(-1)\n"
    "attention = torch.where(any_key, attention, 0.0)",
    "any_key = attention_mask.any(-1, keepdims=True)\n"
    "attention = jax.nn.softmax(jnp.where(attention_mask, scores, jnp.finfo(scores.dtype).min / 2))\n"
    "attention = jnp.where(any_key, attention, 0.0)",
)


def _check(case: Case) -> Found | None:
    leaking = leaks(case) & (case.analysis.non_finite == case.shape[2])
    if leaking.sum() < 2 or not np.isnan(case.logits[leaking].astype(np.float64)).all():
        return None
    where = next((words for words, cells in _places(case) if cells.any() and np.array_equal(cells, leaking)), None)
    if where is None:
        return None
    count = int(leaking.sum())
    return Found(
        message=f"All logits of {where} ({many(count, 'timestep')}) are NaN: the attention had no key to attend to.",
        cells=leaking,
        evidence={"timesteps under the mask": count, "NaN logits": count * case.shape[2]},
        fix=written([_ATTENTION, *SAFE], case.analysis),
        repaired=lambda: sanitised(case, leaking),
    )


def _places(case: Case) -> list[tuple[str, Array]]:
    padding = ~case.mask
    empty = padding & ~case.mask.any(axis=1, keepdims=True)
    before = np.logical_and.accumulate(padding, axis=1)
    return [
        ("every empty sequence", empty),
        ("the padding before the sequences", before & ~empty),
        ("the padding", padding),
        ("the padding before the sequences", before),
    ]


RULE = Rule(
    code="NUM05",
    name="fully-masked-attention",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="attention",
    needs=("logits",),
)
"""Every attention query has a key."""
