"""Logits are passed to a loss that expects probabilities.

## What it checks
Whether the printed number is the mean of −log(clip(z)_y / Σ clip(z)), which Keras computes from logits z with
`from_logits=False`, its default.

## Why it matters
Negative logits are clipped and get no gradient: the model learns little, and its loss stays near ln V.

## Example
Logits [2, −1, 0.5] with target 0 give a loss of 0.4055 instead of 0.2413.

## How to fix
Pass `from_logits=True`; in PyTorch, give logits to `cross_entropy` and log-softmax outputs to `nll_loss`.

## When it is a false alarm
If the arrays are probabilities, this loss is correct (MOD01 reports those). An untrained model's mean is about ln V
either way, so the rule stays silent.

## Threads
No thread: behaviour of Keras 3, from its source
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="MOD02",
    name="logits-read-as-probabilities",
    severity="error",
    cells=unmasked,
    requires=("MOD01",),
)
"""The loss expects logits."""
