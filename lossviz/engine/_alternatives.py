"""The TensorFlow graphs behind `alternative_losses`, for rows of any count and width: traced once, never compiled.

Over the classes of a row, with m = max z_v at the class b, and x = Σ_{v≠b} exp(z_v - m), the excess:

    log Σ exp(z_v) = m + log1p(x)                      the largest kept apart: a confident model keeps its digits
    -log p_y = (m - z_y) + log1p(x)                    the difference of logits first
    mean_v(-log p_v) = log1p(x) + Σ (m - z_v) / V      only terms ≥ 0: nothing cancels
    log Σ exp(p_v) - p_y,  p_v = exp(z_v - m) / (1 + x)
    log Σ c_v - log c_y = log1p(Σ_{v≠y} c_v / c_y),  c = clip(z)
"""

import functools
from typing import Any, NamedTuple

import tensorflow as tf

__all__ = ["LOSSES", "Sums", "clip", "exact_graph", "fast_graph", "finish"]

LOSSES = ("twice", "as_probabilities", "in_bfloat16", "in_float16")
"""The numbers that are defined only where the target is a class."""

LEAST = 1e-7
"""`keras.config.epsilon()`."""

HALVES = {"in_bfloat16": tf.bfloat16, "in_float16": tf.float16}
INF = float("inf")


class Sums(NamedTuple):
    """The sums over each of R rows of logits; float tensors [R].

    Attributes:
        largest: m.
        excess: x.
        gap: Σ (m - z_v).
        powers: Σ (exp(p_v) - 1).
        others: Σ c_v without the target.
        at_target: z_y.
        halves: (m, x, z_y) of the logits rounded to half precision, by the name of the loss.
    """

    largest: Any
    excess: Any
    gap: Any
    powers: Any
    others: Any
    at_target: Any
    halves: dict[str, tuple[Any, Any, Any]]


@functools.cache
def exact_graph() -> Any:
    """`f(z [R, V] float64, y [R] int32)`: every number in float64; handles NaN and ±inf."""
    return _traced(_exact, tf.float64)


@functools.cache
def fast_graph() -> Any:
    """`f(z [R, V] float32, y [R] int32)`: the sums in float32, and `redo` [R]: rows that need `exact_graph`."""
    return _traced(_fast, tf.float32)


def _traced(function: Any, dtype: Any) -> Any:
    signature = [tf.TensorSpec([None, None], dtype), tf.TensorSpec([None], tf.int32)]
    return tf.function(function, input_signature=signature, autograph=False).get_concrete_function()


def _exact(z: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
    largest, excess = _exact_excess(z)
    e = tf.exp(z - largest[:, None])
    clipped = clip(z)
    others = tf.where(tf.range(tf.shape(z)[1])[None] == y[:, None], tf.zeros_like(z), clipped)
    halves = {}
    for name, dtype in HALVES.items():
        rounded = _rounded(z, dtype)
        halves[name] = _loss(*_exact_excess(rounded), _at(rounded, y))
    return {
        "logsumexp": largest + tf.math.log1p(excess),
        "uniform_loss": tf.math.log1p(excess) + tf.reduce_mean(largest[:, None] - z, 1),
        "twice": _twice(tf.reduce_sum(tf.exp(e / (1 + excess)[:, None]), 1), _loss(largest, excess, _at(z, y))),
        "as_probabilities": tf.math.log1p(tf.reduce_sum(others, 1) / _at(clipped, y)),
        **halves,
    }


def _exact_excess(z: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The largest [R], 0 where it is not finite, and the excess [R]: -1 where every logit is -inf, inf where one is."""
    largest = tf.reduce_max(z, 1)
    largest = tf.where(tf.math.is_finite(largest), largest, tf.zeros_like(largest))
    distance = z - largest[:, None]
    is_largest = distance == 0
    below = tf.reduce_sum(tf.where(is_largest, tf.zeros_like(z), tf.exp(distance)), 1)
    return largest, below + (tf.reduce_sum(tf.cast(is_largest, z.dtype), 1) - 1)


def _fast(z: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
    rows = tf.range(tf.shape(z)[0])
    best = tf.stack([rows, tf.argmax(z, 1, output_type=tf.int32)], 1)
    largest, excess, p = _fast_excess(z, best)
    clipped = clip(z)
    others = tf.tensor_scatter_nd_update(clipped, tf.stack([rows, tf.maximum(y, 0)], 1), tf.zeros_like(z[:, 0]))
    halves = {}
    for name, dtype in HALVES.items():
        rounded = _rounded(z, dtype)
        halves[name] = (*_fast_excess(rounded, best)[:2], _at(rounded, y))
    sums = Sums(
        largest=largest,
        excess=excess,
        gap=_wide_sum(tf.gather_nd(z, best)[:, None] - z),
        powers=_wide_sum(tf.exp(p) - 1) + tf.math.expm1(1 / (1 + excess)),
        others=_wide_sum(others),
        at_target=_at(z, y),
        halves=halves,
    )
    return finish(sums, tf.shape(z)[1], tf.zeros_like(best[:, 0], tf.bool), tf.reduce_min(z, 1))


def finish(sums: Sums, classes: Any, redo: tf.Tensor, least: tf.Tensor) -> dict[str, tf.Tensor]:
    """The numbers of R timesteps in float64, and `redo` [R] with the rows added that need `exact_graph`.

    Args:
        sums: of each row.
        classes: V.
        redo: bool [R].
        least: [R], the smallest logit.
    """
    wide = sums._replace(**{name: _wide(getattr(sums, name)) for name in Sums._fields[:-1]})
    count, rest = tf.cast(classes, tf.float64), tf.math.log1p(wide.excess)
    gap = wide.gap / count
    numbers = {
        "logsumexp": wide.largest + rest,
        "uniform_loss": rest + gap,
        "twice": _twice(count + wide.powers, _loss(wide.largest, wide.excess, wide.at_target)),
        "as_probabilities": tf.math.log1p(wide.others / _wide(clip(sums.at_target))),
        **{name: _loss(*(_wide(value) for value in half)) for name, half in sums.halves.items()},
    }
    overflow = tf.math.is_inf(gap) & tf.math.is_finite(least)  # a mask of -3e38 in place of -inf
    return {**numbers, "redo": redo | overflow | tf.math.is_nan(tf.add_n(list(numbers.values())))}


def _fast_excess(z: tf.Tensor, best: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The logit of `best` [R], the excess [R], both float64, and the probabilities [R, V] with 0 at `best`.

    Rounding does not change which logit is largest. A softmax costs less than an exp, and the error of its own sum
    cancels.
    """
    p = tf.nn.softmax(z)
    at_best = tf.gather_nd(p, best)
    p = tf.tensor_scatter_nd_update(p, best, tf.zeros_like(at_best))
    return _wide(tf.gather_nd(z, best)), _wide_sum(p) / _wide(at_best), p


def _loss(largest: tf.Tensor, excess: tf.Tensor, at_target: tf.Tensor) -> tf.Tensor:
    """-log p [R]; NaN where a logit is +inf, because TensorFlow's own op computes inf - inf there."""
    loss = (largest - at_target) + tf.math.log1p(excess)
    return tf.where(excess == INF, tf.fill(tf.shape(loss), tf.constant(float("nan"), loss.dtype)), loss)


def _twice(total: tf.Tensor, loss: tf.Tensor) -> tf.Tensor:
    return tf.math.log(total) - tf.exp(-loss)


def clip(z: tf.Tensor) -> tf.Tensor:
    """Clipped to [1e-7, 1 - 1e-7], as Keras clips probabilities."""
    return tf.minimum(tf.maximum(z, LEAST), 1 - LEAST)


def _rounded(z: tf.Tensor, dtype: Any) -> tf.Tensor:
    """Rounded to half precision by way of float32, as a model's float32 output would be."""
    return tf.cast(tf.cast(tf.cast(z, tf.float32), dtype), z.dtype)


def _at(z: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    return tf.gather(z, tf.maximum(y, 0), axis=1, batch_dims=1)


def _wide(value: tf.Tensor) -> tf.Tensor:
    return tf.cast(value, tf.float64)


def _wide_sum(terms: tf.Tensor) -> tf.Tensor:
    return _wide(tf.reduce_sum(terms, 1))
