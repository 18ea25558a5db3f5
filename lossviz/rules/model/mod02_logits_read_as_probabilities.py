"""Logits are given to a loss that expects probabilities.

## What it checks
Whether the printed number is the mean of −log(clip(z)_y / Σ clip(z)), which Keras takes of logits z with
`from_logits=False`, its default.

## Why it matters
Negative logits are clipped and get no gradient: the model learns little, and its loss stays near ln V.

## Example
Logits [2, −1, 0.5] with the target 0 cost 0.4055 instead of 0.2413.

## How to fix
Say `from_logits=True`; in PyTorch give `cross_entropy` logits, and `nll_loss` the log-softmax of them.

## When it is a false alarm
Where the arrays are probabilities the loss is right (MOD01 speaks of those). An untrained model prints about ln V too,
which is its mean, so that nothing is said.

## Threads
No thread: the behaviour of Keras 3, source
"""

from lossviz.rules._core.printed_number import printed_rule, what_counts

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="MOD02",
    name="logits-read-as-probabilities",
    severity="error",
    cells=what_counts,
    requires=("MOD01",),
)
"""The loss is that of logits."""
