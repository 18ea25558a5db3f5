"""The divisor counts the labels before they are shifted.

## What it checks
Whether the printed number is the sum of the losses divided by N plus one for each sequence whose first timestep
counts: the first label, which no timestep predicts.

## Why it matters
The loss is too small by a factor of N / (N + B), which matters most for short sequences.

## Example
The golden batch prints 13.8 / (11 + 3) = 0.9857 instead of 13.8 / 11 = 1.2545.

## How to fix
Count the labels that remain after the shift.

## When it is a false alarm
If the number is meant to be compared with one from Hugging Face before the fix. If N + B equals B·T, this is also
PAD02.

## Threads
transformers PR#46204, transformers PR#46335, liquid-finetune PR#40
"""

import numpy as np

from lossviz.identification import Match
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_number import printed_rule

__all__ = ["RULE"]

Array = np.ndarray


def _first(case: Case, _: Match) -> Array:
    """The first timestep of each sequence, which the divisor counts twice."""
    cells: Array = case.mask & (np.arange(case.shape[1]) == 0)
    return cells


RULE = printed_rule(
    __name__,
    __doc__,
    code="RED04",
    name="unshifted-divisor",
    severity="warning",
    cells=_first,
)
"""The divisor counts what is predicted."""
