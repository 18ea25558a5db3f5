"""Each chunk of a split batch is divided by its own count before averaging.

## What it checks
Whether the printed number is the mean, or the sum, of S / N over two to four chunks of time, as context parallelism
splits them. If it is NaN although every loss is finite, whether one of those chunks has nothing that counts: 0 / 0.

## Why it matters
A chunk that is mostly padding weighs as much as a full one, and an empty one contributes NaN or 0.

## Example
Split after three timesteps, the golden batch prints 1.0292 instead of 1.2545.

## How to fix
All-reduce sums and counts over all ranks, and divide once.

## When it is a false alarm
Chunks with equally many timesteps that count give the same number. The number of chunks is a guess, so the number
needs five digits, and a NaN is called possible. Ranks that split the sequences are reported by RED01.

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
"""All ranks divide by the same count."""
