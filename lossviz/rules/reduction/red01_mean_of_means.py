"""The printed number is the mean of the micro-batches' own means.

## What it checks
Whether the printed number is the mean of S / N over k equally sized micro-batches, taken in order or as every k-th
sequence.

## Why it matters
A timestep in a short micro-batch weighs more than one in a long one, so training with gradient accumulation differs
from training without it.

## Example
Split into micro-batches of sequence 0 and of sequences 1 and 2, the golden batch prints 1.2633 instead of 1.2545.

## How to fix
Add up sums and counts over all micro-batches, and divide once.

## When it is a false alarm
With one sequence per micro-batch, this is the mean of the per-sequence means (RED05). Micro-batches with equally many
timesteps give the same number. The number of micro-batches is a guess unless it is declared.

## Threads
transformers PR#34191, blog PR#2414, torchtune PR#1875, trl PR#3231, Megatron-DeepSpeed PR#169, Speech#8343,
OpenNMT-py#2209
"""

from lossviz.rules._core.printed_number import miscounted, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED01",
    name="mean-of-means",
    severity="warning",
    cells=miscounted,
)
"""The sums are divided once."""
