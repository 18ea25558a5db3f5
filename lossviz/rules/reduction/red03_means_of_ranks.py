"""Each chunk of a split batch is divided by its own count before the mean.

## What it checks
Whether the printed number is the mean, or the sum, of S / N of two to four chunks of time, as context parallelism cuts
them.

## Why it matters
A chunk that is mostly padding weighs as much as a full one, and an empty one makes NaN or 0 of it.

## Example
The golden batch cut after three timesteps prints 1.0292 instead of 1.2545.

## How to fix
All-reduce sums and counts over all ranks, and divide once.

## When it is a false alarm
Chunks of equally many timesteps that count give the same number. How many chunks there were is supposed, so that five
digits are needed; of ranks of sequences RED01 speaks.

## Threads
transformers#34242, transformers PR#34373, transformers#37474, Megatron-LM#673, Megatron-LM PR#7513, verl#5983,
verl PR#6049, prime-rl PR#2562, torchtitan PR#2206, DeepSpec#34
"""

from lossviz.rules._core.printed_number import miscounted, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED03",
    name="means-of-ranks",
    severity="warning",
    cells=miscounted,
)
"""All ranks are divided by one count."""
