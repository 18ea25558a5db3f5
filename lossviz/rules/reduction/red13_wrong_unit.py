"""The number is in another unit than nats, or mixes two.

## What it checks
Whether the printed number is 2 to the power of nats, e to the power of bits, or the mean in bits.

## Why it matters
A perplexity with the wrong base is another number altogether; bits are 1.4427 times the nats.

## Example
The golden batch costs 1.2545 nats or 1.8099 bits. Its perplexity is 3.5062, and neither 2^1.2545 = 2.3859 nor
e^1.8099 = 6.11.

## How to fix
Take e to the power of nats, 2 to the power of bits, and write the unit beside the number.

## When it is a false alarm
Where the log says bits, as fairseq's does: that alone is an info.

## Threads
adaptive-span#17, sockeye#694, and fairseq's criterions, source
"""

from lossviz.rules._core.printed_number import printed_rule, what_counts

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED13",
    name="wrong-unit",
    severity="warning",
    cells=what_counts,
    severities={"C11": "info"},
)
"""The number is in nats."""
