"""The printed number includes label smoothing.

## What it checks
Whether the printed number is the mean with label smoothing for ε of 0.05, 0.1, 0.15 or 0.2: ε / V for each class, ε /
(V − 1) for each other class, or ε / (V − 2) without the pad class.

## Why it matters
Libraries distribute ε in different ways, and none of these numbers is comparable with a plain cross entropy.

## Example
With ε = 0.1, the golden batch prints 1.3517 (over V) or 1.3712 (over V − 1) instead of 1.2545.

## How to fix
Print the plain cross entropy next to the smoothed loss.

## When it is a false alarm
Whenever smoothing is intended: it is a convention. ε is a guess, so the number needs five digits.

## Threads
fairseq PR#3182, fairseq#2273, fastai PR#1814, OpenNMT#570, annotated-transformer#39, transformer-pytorch#5
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED11",
    name="smoothing-mass",
    severity="info",
    cells=unmasked,
)
"""The number is the plain cross entropy."""
