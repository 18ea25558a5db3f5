"""The number is not in nats, or mixes two units.

## What it checks
Whether the printed number is 2 to the power of nats, e to the power of bits, or the mean in bits.

## Why it matters
A perplexity with the wrong base is an entirely different number; bits are 1.4427 times the nats.

## Example
The golden batch has 1.2545 nats, or 1.8099 bits. Its perplexity is 3.5062, not 2^1.2545 = 2.3859 or e^1.8099 = 6.11.

## How to fix
Raise e to the power of nats or 2 to the power of bits, and write the unit beside the number.

## When it is a false alarm
If the log states bits, as fairseq's does: bits alone are an info.

## Threads
adaptive-span#17, sockeye#694, and fairseq's criterions, from their source
"""

from lossviz.rules._core.printed_number import printed_rule, unmasked

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="RED13",
    name="wrong-unit",
    severity="warning",
    cells=unmasked,
    severities={"C11": "info"},
)
"""The number is in nats."""
