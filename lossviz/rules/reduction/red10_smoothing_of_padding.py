"""The label smoothing term includes the padding.

## What it checks
Whether the printed number is (1 − ε) · S / N plus a smoothing term that sums, or averages, over all positions, for ε
of 0.05, 0.1, 0.15 or 0.2.

## Why it matters
The model is trained to be uniform on padding, and the loss depends on how much padding there is.

## Example
The golden batch with ε = 0.1 prints 1.4582 instead of 1.3517.

## How to fix
Mask both terms, or use the built-in label smoothing, which does.

## When it is a false alarm
If label smoothing is not used. ε is a guess, so the number needs five digits.

## Threads
pytorch#73205, pytorch#69339, pytorch PR#69511, transformers#7546, transformers PR#5919, utils.pytorch#4, sockeye#200,
kospeech#37
"""

import numpy as np

from lossviz.identification import Match
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_messages import mean_of
from lossviz.rules._core.printed_number import padding, printed_rule

__all__ = ["RULE"]


def _smoothed(case: Case, match: Match) -> float:
    """The smoothed mean over the timesteps that count, with the ε of the match."""
    epsilon = 1 - float(match.coefficients.sum())  # each coefficient is (1 − ε)·w ÷ Σ w
    weights, uniform = case.analysis.weights, case.analysis.alternatives().uniform_loss
    smoothing = np.where(weights != 0, weights * uniform, 0.0).sum() / weights.sum()
    return float((1 - epsilon) * mean_of(case) + epsilon * smoothing)


RULE = printed_rule(
    __name__,
    __doc__,
    code="RED10",
    name="smoothing-of-padding",
    severity="warning",
    cells=padding,
    fixed=_smoothed,
)
"""Both terms are masked."""
