"""Every loss is multiplied by its weight twice.

## What it checks
Whether the printed number is Σ w²·loss ÷ Σ w.

## Why it matters
Large weights count more than they should, small ones less. Weights of 0 and 1 never show it.

## Example
The golden batch with weights of sum 10.5 prints 0.9786 instead of 1.081.

## How to fix
Give the weights either to the loss or to the sum, not to both.

## When it is a false alarm
Where the squares are meant, or another thing gives that number by chance.

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
