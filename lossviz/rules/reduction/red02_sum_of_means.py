"""The means of micro-batches are summed but not divided by their number.

## What it checks
Whether the printed number is Σ_g S_g / N_g over equally sized micro-batches, or k · S / N for a k that divides B.

## Why it matters
The gradients and the number are k times too large.

## Example
Split into three micro-batches of one sequence, the golden batch prints 4.26 instead of 1.2545.

## How to fix
Divide once by everything that counts; with Hugging Face, pass `num_items_in_batch`.

## When it is a false alarm
A factor of two or three has many possible causes. With the accumulation steps in the settings the match is certain;
without them it is a guess that needs five digits.

## Threads
transformers PR#35438, transformers PR#35651, transformers#37766, transformers#35203, Soup#720, open-instruct#995,
open-instruct#1728
"""

from lossviz.rules._core.printed_number import miscounted, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED02",
    name="sum-of-means",
    severity="warning",
    cells=miscounted,
)
"""The number is divided by the number of accumulation steps."""
