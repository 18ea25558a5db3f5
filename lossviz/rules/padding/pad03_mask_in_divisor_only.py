"""The losses of the padding are summed; only the divisor is masked.

## What it checks
Whether the printed number is the sum of all losses, padding included, divided by the number of timesteps that count.

## Why it matters
Gradients flow from the padding, and the number is too large by the loss of the padding.

## Example
The golden batch prints 14.5 / 11 = 1.3182 instead of 13.8 / 11 = 1.2545.

## How to fix
Mask the losses before summing them.

## When it is a false alarm
If the padding has no loss, both numbers are equal, and the rule says so.

## Threads
ROLL PR#444
"""

from lossviz.rules._core.printed_number import padding, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="PAD03",
    name="mask-in-divisor-only",
    severity="error",
    cells=padding,
)
"""The sum and the divisor use the same mask."""
