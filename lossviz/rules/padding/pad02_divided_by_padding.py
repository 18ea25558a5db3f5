"""The losses are masked, but the divisor counts the padding.

## What it checks
Whether the printed number is the sum of the losses that count divided by all B·T positions rather than by the
timesteps that count.

## Why it matters
The number and the gradients shrink with the amount of padding: a half-full batch learns half as fast, and no two
batches are comparable. Keras does this with `sample_weight`, and so does `reduction='none'` followed by `.mean()` in
PyTorch.

## Example
In the golden batch, 11 of 15 positions count: it prints 13.8 / 15 = 0.92 instead of 13.8 / 11 = 1.2545.

## How to fix
Divide by the sum of the weights: in Keras, `reduction="mean_with_sample_weight"`.

## When it is a false alarm
If a constant divisor is intended, as in T5X and Dr. GRPO. A second batch settles it: the number follows the share of
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
