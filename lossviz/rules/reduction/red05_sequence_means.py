"""Every sequence weighs the same, regardless of its length.

## What it checks
Whether the printed number is the mean of the per-sequence means; of packed rows, of the documents' means. If it is NaN
although every loss is finite, whether nothing counts in one of the documents: 0 / 0, an error.

## Why it matters
A timestep in a short sequence weighs more than one in a long one. This is a choice, but such a number can't be
compared with a mean per timestep.

## Example
The golden batch prints 1.42, the mean of 1.36, 0.6 and 2.3, instead of 1.2545.

## How to fix
Choose one of the two and put it into the name in the log: `loss/token` or `loss/sequence`.

## When it is a false alarm
Whenever it is intended: this is a convention, not a bug. Sequences of equal length give the same number.

## Threads
OpenNMT-tf#570, trl#2995, trl PR#3138, transformers#34510, trlx#452, MiniCPM-V#467, keras#4186
"""

from lossviz.rules._core.printed_number import miscounted, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED05",
    name="sequence-means",
    severity="info",
    cells=miscounted,
)
"""Every timestep weighs the same."""
