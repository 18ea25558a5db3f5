"""The means of micro-batches are added up, and not divided by how many there are.

## What it checks
Whether the printed number is Σ_g S_g / N_g over even micro-batches, or k · S / N for a k that divides B.

## Why it matters
The gradients are k times too large, and the number too.

## Example
The golden batch in three micro-batches of one sequence prints 4.26 instead of 1.2545.

## How to fix
Divide once by all that counts; with Hugging Face pass `num_items_in_batch`.

## When it is a false alarm
A factor of two or three has many causes: with the accumulation steps in the settings it is sure, without them a guess
that needs five digits.

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
"""The number is divided by the accumulation steps."""
