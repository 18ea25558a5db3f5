"""The text classifier: its loss, and the loss with each bug."""

from typing import Any

import tensorflow as tf

from lossviz.theatre.programs._parts import at

__all__ = ["last_column", "right"]


def right(model: Any, ids: Any, labels: Any, lengths: Any) -> Any:
    """Each half is read where it has read the whole text."""
    (forward, backward), _ = model.run_lstm(ids)
    read = tf.concat([at(forward, lengths - 1), backward[:, 0]], axis=-1)
    logits = model.logits_layer(read)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))


def last_column(model: Any, ids: Any, labels: Any, lengths: Any) -> Any:  # noqa: ARG001
    """Both halves are read at the last column, which is padding in most rows."""
    (forward, backward), _ = model.run_lstm(ids)
    read = tf.concat([forward[:, -1], backward[:, -1]], axis=-1)
    logits = model.logits_layer(read)
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels, logits))
