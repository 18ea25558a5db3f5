"""The mask that Keras derives from the inputs does not reach the loss.

## What it checks
Whether the printed number is the mean over all B·T positions although `Embedding(mask_zero=True)` masks some of them:
the pad id is 0, exactly the timesteps with a non-zero input count, and the batch has neither lengths nor weights.

## Why it matters
A layer that does not support masking, or a single operation on the tensor, silently drops the mask, and padding is
trained.

## Example
`Embedding(mask_zero=True)`, then `keras.ops.multiply`, then `Dense`, on inputs [1, 2, 0, 0]: no mask reaches the loss.

## How to fix
Pass the weights to the loss yourself, or set `supports_masking = True` on every layer.

## When it is a false alarm
If the training loop does not use Keras, this is PAD01, which gives the same number: no mask reached the loss. Likewise
if padding is meant to count.

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
"""The mask derived from the inputs reaches the loss."""
