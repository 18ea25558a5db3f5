"""The mask that Keras makes of the inputs does not reach the loss.

## What it checks
Whether the printed number is the mean of all B·T positions though `Embedding(mask_zero=True)` masks some of them: the
pad id is 0, what counts is where the inputs are not 0, and neither lengths nor weights say so.

## Why it matters
A layer that does not support masking, or one operation on the tensor, drops the mask without a word, and the padding is
trained.

## Example
`Embedding(mask_zero=True)`, then `keras.ops.multiply`, then `Dense` on inputs [1, 2, 0, 0]: no mask reaches the loss.

## How to fix
Give the loss its weights by hand, or let every layer say `supports_masking = True`.

## When it is a false alarm
Where the loop is not of Keras it is PAD01, which prints the same: no mask reached the loss. So it is where padding is
meant to count.

## Threads
keras#18543, keras-hub#138
"""

from lossviz.rules._core.printed_number import padding, printed_rule

__all__ = ["RULE"]

RULE = printed_rule(
    __name__,
    __doc__,
    code="MOD08",
    name="keras-mask-dropped",
    severity="error",
    cells=padding,
)
"""The mask of the inputs reaches the loss."""
