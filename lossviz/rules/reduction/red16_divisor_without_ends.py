"""The divisor leaves out one timestep per sequence.

## What it checks
Whether the printed number is the sum of the losses divided by N − B.

## Why it matters
The loss and its gradients are larger by a factor of N / (N − B), which matters most for short sequences.

## Example
The golden batch prints 13.8 / (11 − 3) = 1.725 instead of 13.8 / 11 = 1.2545.

## How to fix
Nothing, unless you compare gradients; in that case count the end of each sequence as well.

## When it is a false alarm
If it is intended: OpenNMT-py scales its gradients this way, and does not count the ends.

## Threads
No thread: OpenNMT-py `trainer._accum_batches`, from its source
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED16",
    name="divisor-without-ends",
    severity="info",
    cells=unmasked,
)
"""The divisor counts the ends."""
