"""The path for large batches where XLA can't be used: TensorFlow's own kernels on blocks that stay in cache."""

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
    half = x.dtype.size == 2
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
    scale = tf.where(second > lowest, tf.exp(second - largest) / share, tf.zeros_like(share))
    rest = scale * _even_sum(p) if half else scale
    moment = tf.reduce_sum(p * others, 1)
    tame = ~tf.reduce_any(tf.math.is_nan(moment))  # neither NaN nor ±inf in the block: 0 · inf is NaN
    moment = tf.cond(tame, lambda: moment, lambda: tf.reduce_sum(p * tf.maximum(others, LOWEST), 1))
    return finish(
        Row(
            rest=rest,
            moment=scale * moment,
            squares=tf.square(scale * tf.math.reduce_euclidean_norm(p, 1)),
            greater=tf.reduce_sum(tf.cast(x > at_target[:, None], x.dtype), 1),
            non_finite=tf.cond(
                tame,
                lambda: tf.zeros([x.shape[0]], x.dtype),
                lambda: tf.reduce_sum(tf.cast(~tf.math.is_finite(x), x.dtype), 1),
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


def _even_sum(p: tf.Tensor) -> tf.Tensor:
    """Σ p, not quite 1: half precision has few distinct logits, and the errors of softmax's own sum all go one way."""
    depth = 32
    even = p.shape[1] // depth * depth
    parts = tf.reduce_sum(tf.reshape(p[:, :even], [p.shape[0], depth, even // depth]), 1)
    return tf.reduce_sum(parts, 1) + tf.reduce_sum(p[:, even:], 1)


def _deepest(x: tf.Tensor, depth: int) -> tf.Tensor:
    return tf.reduce_max(tf.reshape(x, [x.shape[0], depth, x.shape[1] // depth]), 1)
