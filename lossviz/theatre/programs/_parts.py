"""What the shown programs call: rows filled up, micro-batches, one timestep of each row."""

from typing import Any

import tensorflow as tf

__all__ = ["at", "in_eight", "padded"]

MICRO_BATCHES = 8


def padded(tokens: Any, lengths: Any, pad_id: Any) -> Any:
    """Ids [B, T] with `pad_id` from each row's length on.

    >>> padded([[5, 6, 0]], [2], 9).numpy().tolist()
    [[5, 6, 9]]
    """
    tokens = tf.convert_to_tensor(tokens)
    inside = tf.sequence_mask(lengths, tf.shape(tokens)[1])
    return tf.where(inside, tokens, tf.cast(pad_id, tokens.dtype))


def in_eight(values: Any) -> Any:
    """The sums of eight micro-batches of rows that follow each other, [8] of [B, T]; B is a multiple of 8."""
    return tf.reduce_sum(tf.reshape(values, [MICRO_BATCHES, -1]), axis=1)


def at(outputs: Any, places: Any) -> Any:
    """The outputs [B, H] of one timestep of each row, of [B, T, H].

    >>> at([[[5.0], [6.0]], [[7.0], [8.0]]], [1, 0]).numpy().tolist()
    [[6.0], [7.0]]
    """
    return tf.gather(outputs, places, axis=1, batch_dims=1)
