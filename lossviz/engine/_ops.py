"""The path for large batches where XLA can't be used: TensorFlow's own kernels on blocks that stay in cache."""

from typing import Any

import tensorflow as tf

from lossviz.engine._formulas import LOWEST, Row, finish
from lossviz.engine._top import top

__all__ = ["graph"]


def graph(rows: int, classes: int, dtype: Any) -> Any:
    """The diagnosis of a block as a TensorFlow graph, `f(x [rows, classes], y [rows] int32)`."""
    signature = [tf.TensorSpec([rows, classes], dtype), tf.TensorSpec([rows], tf.int32)]
    return tf.function(_rows, input_signature=signature, autograph=False).get_concrete_function()


def _rows(x: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
    if x.dtype != tf.float64:
        x = tf.cast(x, tf.float32)
    lowest = tf.constant(float("-inf"), x.dtype)
    values, classes, redo = top(x)
    has_target = y >= 0
    places = tf.stack([tf.range(x.shape[0]), tf.maximum(y, 0)], 1)
    at_place = tf.gather_nd(x, places)
    at_target = tf.where(has_target, at_place, lowest)
    others = tf.tensor_scatter_nd_update(x, places, tf.where(has_target, lowest, at_place))
    top_others = tf.where(classes == y[:, None], lowest, values)
    largest = tf.reduce_max(top_others, -1)
    nobody = largest == lowest
    largest = tf.where(nobody, tf.zeros_like(largest), largest)
    p = tf.nn.softmax(others)  # p = e / s, and e = 1 at the largest, so s = 1 / p there
    best = tf.gather(classes, tf.argmax(top_others, -1, tf.int32), axis=1, batch_dims=1)
    total = 1 / tf.gather(p, best, axis=1, batch_dims=1)
    z = tf.maximum(others - largest[:, None], LOWEST)
    nought = tf.zeros_like(total)
    total = tf.where(nobody, nought, total)
    finite = tf.math.is_finite(x)
    return finish(
        Row(
            total=total,
            moment=tf.where(nobody, nought, total * tf.reduce_sum(p * z, 1)),
            squares=tf.where(nobody, nought, tf.square(total * tf.math.reduce_euclidean_norm(p, 1))),
            greater=tf.reduce_sum(tf.cast(x > at_target[:, None], x.dtype), 1),
            non_finite=x.shape[1] - tf.reduce_sum(tf.cast(finite, x.dtype), 1),
            largest=largest,
            at_target=at_target,
            has_target=has_target,
            values=values,
            classes=classes,
            redo=redo | tf.math.is_nan(total + at_target),
        )
    )
