"""The losses of single timesteps: element-wise in, the same shape out, never reduced."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from lossviz.engine._checks import (
    as_floats,
    as_integers,
    as_tensor,
    as_weights,
    require,
    require_rank,
    require_same_shape,
    shown,
)
from lossviz.errors import InputError

__all__ = ["LossFunction", "sigmoid_loss", "softmax_loss", "weighted_losses"]

LossFunction = Callable[..., Any]


def softmax_loss(logits: Any, targets: Any, weights: Any = None) -> tf.Tensor:
    """The cross entropy of each timestep in nats, times its weight; exactly 0 where the weight is 0.

    A timestep of weight 0 adds 0 to the value and to the gradient whatever its logits (NaN, inf) and its target
    (-100, V) hold: it is deselected before the cross entropy. Follows `tf.nn.sparse_softmax_cross_entropy_with_logits`.

    Args:
        logits: floats [B, T, V]; float16 and bfloat16 are widened to float32.
        targets: integers [B, T] in [0, V) wherever the weight is not 0.
        weights: bool, integer or float [B, T]; by default every timestep counts once.

    Returns:
        A tensor [B, T].

    Raises:
        InputError: a rank, shape or dtype that does not fit, a NaN weight, or a target outside [0, V) that counts.

    Example:
        >>> softmax_loss([[[0.0, 0.0], [5.0, 1.0]]], [[1, -100]], [[1, 0]]).numpy().round(4).tolist()
        [[0.6931, 0.0]]
    """
    return weighted_losses(logits, targets, weights)[0]


def sigmoid_loss(logits: Any, labels: Any, weights: Any = None) -> tf.Tensor:
    """The cross entropy of independent yes/no decisions in nats, element by element, times the weights.

    Follows `tf.nn.sigmoid_cross_entropy_with_logits`: max(x, 0) - x·z + log(1 + exp(-|x|)).

    Args:
        logits: floats of any shape.
        labels: 0 or 1 (or a probability), bool, integer or float, of exactly the shape of `logits`.
        weights: bool, integer or float of exactly the shape of `logits`; an element of weight 0 adds exactly 0.

    Returns:
        A tensor of the shape of `logits`.

    Raises:
        InputError: a shape or dtype that does not fit, or a NaN weight.

    Example:
        >>> sigmoid_loss([[0.0], [float("nan")]], [[1], [1]], [[1], [0]]).numpy().round(4).tolist()
        [[0.6931], [0.0]]
    """
    x = as_floats(logits, "logits")
    z = as_weights(labels, x.dtype, "labels")
    require_same_shape(z, "labels", x, "the shape of `logits`")
    if weights is None:
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=z, logits=x)
    w = as_weights(weights, x.dtype)
    require_same_shape(w, "weights", x, "the shape of `logits`")
    counts = tf.not_equal(w, 0)
    safe = tf.where(counts, x, tf.zeros_like(x))
    losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.where(counts, z, tf.zeros_like(z)), logits=safe)
    return tf.where(counts, w * losses, tf.zeros_like(losses))


def weighted_losses(
    logits: Any, targets: Any, weights: Any, function: LossFunction | None = None
) -> tuple[tf.Tensor, tf.Tensor]:
    """The weighted losses [B, T] and the weights [B, T] they were multiplied by, both in the dtype of the logits."""
    x = as_floats(logits, "logits")
    require_rank(x, "logits", "batch, time, classes")
    require(shown(x)[-1] != 0, f"`logits` must have at least one class; got shape {shown(x)}.")
    labels = as_tensor(targets, "targets")
    y = as_integers(labels, "targets")
    w = tf.ones(tf.shape(y), x.dtype) if weights is None else as_weights(weights, x.dtype)
    for tensor, name in ((y, "targets"), (w, "weights")):
        require_rank(tensor, name, "batch, time")
        require_same_shape(tensor, name, x[..., 0], "the first two axes of `logits`")
    counts = tf.not_equal(w, 0)
    if function is None:  # only the other loss knows which labels it accepts
        y = _checked_targets(y, tf.shape(x, tf.int64)[-1], counts, unsigned=labels.dtype == tf.uint64)
    losses = _cross_entropy(
        tf.where(counts[..., None], x, tf.zeros_like(x)), tf.where(counts, y, tf.zeros_like(y)), function
    )
    return tf.where(counts, w * losses, tf.zeros_like(losses)), w


def _cross_entropy(logits: tf.Tensor, targets: tf.Tensor, function: LossFunction | None) -> tf.Tensor:
    if function is None:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=targets, logits=logits)
    labels = tf.reshape(targets, [-1])
    flat = tf.reshape(logits, tf.stack([tf.size(labels), tf.shape(logits)[-1]]))
    losses = as_floats(function(labels=labels, logits=flat), "softmax_loss_function(labels=, logits=)")
    require_same_shape(losses, "softmax_loss_function(labels=, logits=)", labels, "one loss per label")
    return tf.reshape(tf.cast(losses, logits.dtype), tf.shape(targets))


def _checked_targets(targets: tf.Tensor, classes: tf.Tensor, counts: tf.Tensor, *, unsigned: bool) -> tf.Tensor:
    """The targets, refused outside [0, V) where they count; `unsigned` ones above 2⁶³ − 1 have wrapped around."""
    wrong = counts & ((targets < 0) | (targets >= classes))
    if tf.is_symbolic_tensor(wrong):
        message = "`targets` must lie in [0, V) where the weight is not 0; V and [row, timestep] that do not:"
        with tf.control_dependencies([tf.debugging.Assert(~tf.reduce_any(wrong), [message, classes, tf.where(wrong)])]):
            return tf.identity(targets)  # the cross entropy waits for the assertion, whose message is clearer
    if bool(tf.reduce_any(wrong)):
        row, timestep = tf.where(wrong)[0].numpy()
        label = int(targets[row, timestep]) % 2**64 if unsigned else int(targets[row, timestep])
        raise InputError(
            f"`targets` must lie in [0, {int(classes)}), the classes of `logits`; `targets[{row}, {timestep}]` "
            f"(row {row}, timestep {timestep}) is {label}, and its weight is not 0. Fix it, or give it the weight 0."
        )
    return targets
