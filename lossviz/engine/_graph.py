"""The path for small batches: one TensorFlow graph in float64 for every shape, traced once, never compiled."""

import functools
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.engine._formulas import LOWEST, TOP, Row, finish

__all__ = ["BLOCK", "diagnose"]

BLOCK = 1 << 18
"""Elements in one block: 2 MB, because TensorFlow's allocator never gives memory back."""


def diagnose(logits: np.ndarray, targets: np.ndarray) -> dict[str, np.ndarray]:
    """The numbers of R rows, logits [R, V] of any float dtype and targets [R] int32 (-1: no class)."""
    outputs = _graph()(tf.constant(logits.astype(np.float64, copy=False)), tf.constant(targets))
    return {name: value.numpy() for name, value in outputs.items()}


@functools.cache
def _graph() -> Any:
    signature = [tf.TensorSpec([None, None], tf.float64), tf.TensorSpec([None], tf.int32)]
    return tf.function(_rows, input_signature=signature, autograph=False).get_concrete_function()


def _rows(x: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
    lowest = tf.constant(float("-inf"), tf.float64)
    is_target = tf.range(tf.shape(x)[1])[None] == y[:, None]
    at_target = tf.reduce_max(tf.where(is_target, x, lowest), 1)
    others = tf.where(is_target, lowest, x)
    largest = tf.reduce_max(others, 1)
    largest = tf.where(largest == lowest, tf.zeros_like(largest), largest)
    z = tf.maximum(others - largest[:, None], LOWEST)
    e = tf.exp(z)
    values, classes = tf.math.top_k(tf.where(tf.math.is_nan(x), lowest, x), tf.minimum(TOP, tf.shape(x)[1]))
    return finish(
        Row(
            total=tf.reduce_sum(e, 1),
            moment=tf.reduce_sum(e * z, 1),
            squares=tf.reduce_sum(e * e, 1),
            greater=_count(x > at_target[:, None]),
            non_finite=_count(~tf.math.is_finite(x)),
            largest=largest,
            at_target=at_target,
            has_target=y >= 0,
            values=values,
            classes=classes,
            redo=tf.zeros_like(y, tf.bool),
        )
    )


def _count(flags: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(flags, tf.int32), 1)
