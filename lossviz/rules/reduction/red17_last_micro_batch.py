"""Only the last micro-batch is printed.

## What it checks
Whether the printed number is S / N of the last of k equally sized micro-batches.

## Why it matters
The curve is noisier than the training, and shows nothing of the other micro-batches.

## Example
Split into micro-batches of sequence 0 and of sequences 1 and 2, the golden batch prints 7 / 6 = 1.1667 instead of
1.2545.

## How to fix
Log the sum over all micro-batches divided by their count.

## When it is a false alarm
If an approximate log is good enough, as in nanoGPT. The number of micro-batches is a guess unless it is declared.

## Threads
nanoGPT PR#207, and nanoGPT's train.py, from its source
"""

import numpy as np

from lossviz.identification import Match
from lossviz.rules._core.case import Case
from lossviz.rules._core.printed_number import printed_rule

__all__ = ["RULE"]

Array = np.ndarray


def _left_out(case: Case, match: Match) -> Array:
    """The timesteps that count in the micro-batches that are not printed."""
    cells: Array = case.mask & ~match.cells
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
