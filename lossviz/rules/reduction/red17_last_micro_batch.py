"""Only the last micro-batch is printed.

## What it checks
Whether the printed number is S / N of the last of k even micro-batches.

## Why it matters
The curve is noisier than the training, and says nothing of the other micro-batches.

## Example
The golden batch in micro-batches of sequence 0 and of sequences 1 and 2 prints 7 / 6 = 1.1667 instead of 1.2545.

## How to fix
Log the sum of all micro-batches divided by their count.

## When it is a false alarm
Where an approximate log is enough, as in nanoGPT. How many micro-batches there were is supposed where nobody said it.

## Threads
nanoGPT PR#207, and nanoGPT's train.py, source
"""

import numpy as np

from lossviz.identification import Match
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_number import printed_rule

__all__ = ["RULE"]

Array = np.ndarray


def _left_out(case: Case, match: Match) -> Array:
    """What counts in the micro-batches that are not printed."""
    cells: Array = case.counts & ~match.cells
    return cells


RULE = printed_rule(
    __name__,
    __doc__,
    code="RED17",
    name="last-micro-batch",
    severity="info",
    cells=_left_out,
)
"""All micro-batches are printed."""
