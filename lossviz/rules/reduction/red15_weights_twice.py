"""Every loss is multiplied by its weight twice.

## What it checks
Whether the printed number is Σ w²·loss ÷ Σ w.

## Why it matters
Large weights count more than they should, and small ones less. Weights of 0 and 1 never show it.

## Example
With weights that sum to 10.5, the golden batch prints 0.9786 instead of 1.081.

## How to fix
Apply the weights either in the loss or in the sum, not in both.

## When it is a false alarm
If the squares are intended, or something else happens to give that number.

## Threads
keras PR#2541
"""

from lossviz.rules._core.printed_number import miscounted, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED15",
    name="weights-twice",
    severity="info",
    cells=miscounted,
)
"""Weights are applied once."""
