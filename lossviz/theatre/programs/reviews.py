"""The text classifier: its loss, and the loss with each bug."""

from typing import Any

import tensorflow as tf

from lossviz.theatre.programs._padding import read

__all__ = ["last_column", "right"]


def right(model: Any, ids: Any, labels: Any, lengths: Any) -> Any:
    """The mean over the texts, each read at its last word."""
    read_at = lengths - 1
    logits = read(model, ids, read_at)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def last_column(model: Any, ids: Any, labels: Any, lengths: Any) -> Any:
    """Each text is read at the last column, which is padding in most rows."""
    read_at = tf.ones_like(lengths) * (tf.shape(ids)[1] - 1)
    logits = read(model, ids, read_at)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
