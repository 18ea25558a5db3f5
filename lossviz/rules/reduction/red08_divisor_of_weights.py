"""The divisor counts the non-zero weights instead of summing them.

## What it checks
Whether the printed number is the weighted sum divided by the number of non-zero weights, or by all positions if there
is no padding.

## Why it matters
Weights that do not average 1 scale the loss and the gradients.

## Example
With weights that sum to 10.5, 11 of them non-zero, the golden batch prints 11.35 / 11 = 1.0318 instead of 11.35 / 10.5
= 1.081.

## How to fix
Write the division yourself: for a weighted mean, divide by the sum of the weights.

## When it is a false alarm
If it is intended: TensorFlow Addons and Keras do this. With weights of 0 and 1 all three numbers are equal.

## Threads
addons#329, keras#13329, keras#15323, keras#19740, keras PR#1644, OpenNMT-tf PR#820
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED08",
    name="divisor-of-weights",
    severity="info",
    cells=unmasked,
)
"""The divisor is the sum of the weights."""
