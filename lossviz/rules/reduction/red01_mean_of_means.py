"""The printed number is a mean of the micro-batches' own means.

## What it checks
Whether the printed number is the mean of S / N of each of k even micro-batches, in order or every k-th sequence.

## Why it matters
A timestep of a short micro-batch weighs more than one of a long one: training with gradient accumulation is not what it
is without.

## Example
The golden batch in micro-batches of sequence 0 and of sequences 1 and 2 prints 1.2633 instead of 1.2545.

## How to fix
Add up sums and counts over all micro-batches, and divide once.

## When it is a false alarm
One sequence in each micro-batch is the mean of the sequences' means (RED05). Micro-batches of equally many timesteps
give the same number. How many there were is supposed where nobody said it.

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
