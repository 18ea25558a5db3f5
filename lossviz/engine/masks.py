"""Which timesteps are real: the mask of a list of lengths."""

from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.engine._checks import as_integers, require
from lossviz.errors import InputError

__all__ = ["sequence_mask"]


def sequence_mask(lengths: Any, maxlen: Any = None, dtype: Any = tf.bool) -> tf.Tensor:
    """Marks the first `lengths[...]` of `maxlen` timesteps, as `tf.sequence_mask` does, but refuses impossible lengths.

    Args:
        lengths: integers of any rank, each in [0, maxlen].
        maxlen: the width of the mask; by default the largest length, so it can be narrower than the logits.
        dtype: the dtype of the mask; 1 or True where the timestep counts.

    Returns:
        A tensor of shape `lengths.shape + (maxlen,)`.

    Raises:
        InputError: a length below 0 or above `maxlen` (TensorFlow truncates them silently), or lengths that are not
            integers. Inside `tf.function` this is an assertion in the graph.

    Example:
        >>> sequence_mask([3, 4, 2], dtype="int32").numpy().tolist()
        [[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]]
    """
    lengths = as_integers(lengths, "lengths")
    width = _widest(lengths) if maxlen is None else as_integers(maxlen, "maxlen")
    require(width.shape.rank == 0, f"`maxlen` must be one integer; got shape {tuple(width.shape)}.")
    _check_lengths(lengths, width)
    return tf.cast(tf.range(width) < lengths[..., None], dtype)


def _widest(lengths: tf.Tensor) -> tf.Tensor:
    flat = tf.reshape(lengths, [-1])
    return tf.reduce_max(tf.concat([tf.zeros([1], tf.int64), flat], 0))


def _check_lengths(lengths: tf.Tensor, width: tf.Tensor) -> None:
    wrong = (lengths < 0) | (lengths > width)
    if tf.is_symbolic_tensor(wrong):
        message = "`lengths` must lie between 0 and `maxlen`"
        tf.debugging.Assert(~tf.reduce_any(wrong), [message, lengths, width])
        return
    require(int(width) >= 0, f"`maxlen` must be 0 or more; got {int(width)}.")
    if bool(tf.reduce_any(wrong)):
        place = tuple(np.argwhere(wrong.numpy())[0])
        index = f"[{', '.join(map(str, place))}]" if place else ""
        value = lengths.numpy()[place]
        raise InputError(
            f"`lengths` must lie between 0 and {int(width)}, the number of timesteps; `lengths{index}` is {value}. "
            "Fix it, or clip: `np.clip(lengths, 0, maxlen)`."
        )
