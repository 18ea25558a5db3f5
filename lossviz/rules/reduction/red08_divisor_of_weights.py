"""Weights other than 0 and 1 are counted, and not summed, in the divisor.

## What it checks
Whether the printed number is the weighted sum divided by how many weights are not 0, or by all positions where none is
padding.

## Why it matters
Weights that do not average 1 scale the loss and the gradients.

## Example
The golden batch with weights of sum 10.5, 11 of them not 0, prints 11.35 / 11 = 1.0318 instead of 11.35 / 10.5 = 1.081.

## How to fix
Write the division yourself: by the sum of the weights for a weighted mean.

## When it is a false alarm
Where it is meant: TensorFlow Addons and Keras do it so. With weights of 0 and 1 all three are one number.

## Threads
addons#329, keras#13329, keras#15323, keras#19740, keras PR#1644, OpenNMT-tf PR#820
"""

from lossviz.rules._core.printed_number import printed_rule, what_counts

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED08",
    name="divisor-of-weights",
    severity="info",
    cells=what_counts,
)
"""The divisor is the sum of the weights."""
