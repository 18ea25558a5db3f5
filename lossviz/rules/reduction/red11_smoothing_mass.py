"""The printed number has label smoothing in it.

## What it checks
Whether the printed number is the mean with label smoothing of ε 0.05, 0.1, 0.15 or 0.2: ε / V for each class,
ε / (V − 1) for each other one, or ε / (V − 2) without the pad class.

## Why it matters
Libraries spread ε in different ways, and none of these numbers can be compared with a plain cross entropy.

## Example
The golden batch with ε = 0.1 prints 1.3517 by V and 1.3712 by V − 1 instead of 1.2545.

## How to fix
Print the plain cross entropy next to the smoothed loss.

## When it is a false alarm
Always where smoothing is meant: it is a convention. Nobody said ε, so that five digits are needed.

## Threads
fairseq PR#3182, fairseq#2273, fastai PR#1814, OpenNMT#570, annotated-transformer#39, transformer-pytorch#5
"""

from lossviz.rules._core.printed_number import printed_rule, what_counts

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED11",
    name="smoothing-mass",
    severity="info",
    cells=what_counts,
)
"""The number is the plain cross entropy."""
