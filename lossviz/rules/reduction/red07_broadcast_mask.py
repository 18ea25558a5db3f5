"""Losses and mask have different shapes, and broadcasting multiplies every pair.

## What it checks
Whether the printed number is the mean of all losses times the mean of the mask, which is the mean of their outer
product.

## Why it matters
Losses [N] times a mask [N, 1] give [N, N] numbers: every loss meets every mask entry, so padding is trained like
words.

## Example
The golden batch prints 14.5 / 15 · 11 / 15 = 0.7089 instead of 1.2545.

## How to fix
Assert that losses and mask have the same shape before multiplying them.

## When it is a false alarm
If something else happens to give that number: check the two shapes. With `masked_select`, the same mistake prints the
mean over all positions, which is PAD01.

## Threads
tutorials#383, tutorials PR#382, pytorch-chatbot#12, pytorch#19699, pytorch#4938, DeepSets PR#1
"""

from lossviz.rules._core.printed_number import padding, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED07",
    name="broadcast-mask",
    severity="error",
    cells=padding,
)
"""Losses and mask have the same shape."""
