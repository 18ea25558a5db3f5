"""The losses are masked, and divided by a number that counts the padding.

## What it checks
Whether the printed number is the sum of the losses that count divided by all B·T positions, and not by those that
count.

## Why it matters
The number and the gradients shrink with the padding: a batch half full learns half as fast, and no two batches compare.
Keras does so for `sample_weight`, and PyTorch for `reduction='none'` and a `.mean()` after it.

## Example
The golden batch has 11 timesteps that count in 15 positions: it prints 13.8 / 15 = 0.92 instead of 13.8 / 11 = 1.2545.

## How to fix
Divide by the sum of the weights: in Keras `reduction="mean_with_sample_weight"`.

## When it is a false alarm
Where a constant divisor is wanted, as T5X and Dr. GRPO want it. A second batch tells: the number follows the part of
positions that count.

## Threads
tensorflow#39146, tensorflow#26784, tensorflow#34491, tensorflow#34158, keras#15323, keras#19740, addons#2637,
gluon-nlp#238, burn#5568, machina PR#198
"""

from lossviz.rules._core.printed_number import padding, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="PAD02",
    name="divided-by-padding",
    severity="warning",
    cells=padding,
)
"""The divisor counts what the sum counts."""
