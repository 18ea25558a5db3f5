"""The divisor leaves out one timestep of each sequence.

## What it checks
Whether the printed number is the sum of the losses divided by N − B.

## Why it matters
The loss and its gradients are larger by N / (N − B), most for short sequences.

## Example
The golden batch prints 13.8 / (11 − 3) = 1.725 instead of 13.8 / 11 = 1.2545.

## How to fix
Nothing, unless gradients are compared: count the end of each sequence as well.

## When it is a false alarm
Where it is meant: OpenNMT-py scales its gradients so, and does not count the ends.

## Threads
No thread: OpenNMT-py `trainer._accum_batches`, source
"""

from lossviz.rules._core.printed_number import printed_rule, what_counts

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED16",
    name="divisor-without-ends",
    severity="info",
    cells=what_counts,
)
"""The divisor counts the ends."""
