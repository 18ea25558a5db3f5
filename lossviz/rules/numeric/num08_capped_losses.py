"""The largest losses are capped because probabilities are clipped before the logarithm.

## What it checks
Whether the printed number is the mean with every loss capped at 16.118, as in Keras with `from_logits=False`, or at
23.026, as in Sockeye.

## Why it matters
The timesteps that are most wrong get no gradient, and the number hides them.

## Example
A target with probability 1e-12 costs 27.63 nats; with probabilities clipped at 1e-7 it costs 16.12.

## How to fix
Compute the loss from logits, not from the logarithm of a softmax.

## When it is a false alarm
If the cap is intended, so that a few wrong labels do not dominate the mean. If all losses are below the cap, the rule
can't detect it.

## Threads
No thread: Sockeye and Keras, from their source
"""

import numpy as np

from lossviz.identification import Match
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_number import printed_rule

__all__ = ["RULE"]

Array = np.ndarray
KERAS, SOCKEYE = -np.log(1e-7), -np.log(1e-10)


def _capped(case: Case, match: Match) -> Array:
    cap = KERAS if "10^{-7}" in match.formula else SOCKEYE
    above: Array = case.mask & (case.loss > cap)
    return above


RULE = printed_rule(
    __name__,
    __doc__,
    code="NUM08",
    name="capped-losses",
    severity="info",
    cells=_capped,
)
"""No loss is capped."""
