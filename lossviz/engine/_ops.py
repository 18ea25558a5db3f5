"""The path for large batches where XLA can't be used: TensorFlow's own kernels on blocks that stay in cache."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from lossviz.engine._formulas import LOWEST, Row, finish, leader
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
    values, classes, redo = top(x, _deepest)
    has_target = y >= 0
    at_target = tf.where(has_target, tf.gather(x, tf.maximum(y, 0), axis=1, batch_dims=1), lowest)
    largest, best = leader(values, classes, y)
    second, runner_up = leader(values, classes, y, best)
    others = _without(x - tf.where(largest == lowest, tf.zeros_like(largest), largest)[:, None], y, best)
    p = tf.nn.softmax(others)  # p = e / r, and e = exp(second - largest) at the runner-up
    share = tf.gather(p, tf.maximum(runner_up, 0), axis=1, batch_dims=1)
    rest = tf.where(second > lowest, tf.exp(second - largest) / share, tf.zeros_like(share))
    tame = tf.reduce_all(tf.reduce_min(x, 1) > lowest)  # no -inf in the block; NaN and +inf show in the moment
    moment = _sum_if(tame, lambda: p * others, lambda: p * tf.maximum(others, LOWEST))
    tame &= ~tf.reduce_any(tf.math.is_nan(moment))
    return finish(
        Row(
            rest=rest,
            moment=rest * moment,
            squares=tf.square(rest * tf.math.reduce_euclidean_norm(p, 1)),
            greater=tf.reduce_sum(tf.cast(x > at_target[:, None], x.dtype), 1),
            non_finite=_sum_if(
                tame, lambda: tf.zeros([x.shape[0], 1], x.dtype), lambda: tf.cast(~tf.math.is_finite(x), x.dtype)
            ),
            largest=largest,
            at_target=at_target,
            has_target=has_target,
            values=values,
            classes=classes,
            redo=redo | tf.math.is_nan(moment + at_target),
        )
    )


def _without(x: tf.Tensor, *classes: tf.Tensor) -> tf.Tensor:
    """The logits with some classes [R] out of reach; not at -inf, because a softmax of nothing else is NaN."""
    rows = tf.range(x.shape[0])
    places = tf.concat([tf.stack([rows, tf.maximum(taken, 0)], 1) for taken in classes], 0)
    taken = tf.concat(classes, 0)
    return tf.tensor_scatter_nd_update(
        x, places, tf.where(taken >= 0, tf.constant(LOWEST, x.dtype), tf.gather_nd(x, places))
    )


def _sum_if(flag: tf.Tensor, so: Callable[[], tf.Tensor], otherwise: Callable[[], tf.Tensor]) -> tf.Tensor:
    return tf.cond(flag, lambda: tf.reduce_sum(so(), 1), lambda: tf.reduce_sum(otherwise(), 1))


def _deepest(x: tf.Tensor, depth: int) -> tf.Tensor:
    return tf.reduce_max(tf.reshape(x, [x.shape[0], depth, x.shape[1] // depth]), 1)
