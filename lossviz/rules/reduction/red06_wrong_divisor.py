"""The sum of the losses is divided by the width of the batch.

## What it checks
Whether the printed number is S / T, S / (T − 1) or S / (T · N), where S is the sum of the losses that count.

## Why it matters
The number and the gradients change with the padding and the batch size, so a learning rate fits only one setup.

## Example
The golden batch prints 13.8 / 5 = 2.76, 13.8 / 4 = 3.45 or 13.8 / (5 · 11) = 0.2509 instead of 1.2545.

## How to fix
Sum over the timesteps, then divide once by the number that count.

## When it is a false alarm
If a library does this on purpose. If N is k times T, S / T is k times the mean.

## Threads
d2l-en#2076, d2l-en PR#2707, d2l-en PR#2708, bergson PR#344, neuralconvo#67
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED06",
    name="wrong-divisor",
    severity="warning",
    cells=unmasked,
)
"""The divisor is the number of timesteps that count."""
