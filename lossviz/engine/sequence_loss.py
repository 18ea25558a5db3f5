"""The weighted cross entropy of a batch of sequences, reduced by four flags."""

from typing import Any

import tensorflow as tf

from lossviz.engine.losses import LossFunction, weighted_losses
from lossviz.reductions import check_flags

__all__ = ["sequence_loss"]


def sequence_loss(
    logits: Any,
    targets: Any,
    weights: Any,
    average_across_timesteps: bool = True,
    average_across_batch: bool = True,
    sum_over_timesteps: bool = False,
    sum_over_batch: bool = False,
    softmax_loss_function: LossFunction | None = None,
    name: str | None = None,
) -> tf.Tensor:
    """The weighted cross entropy Σ w·ce of a batch of sequences, divided as the four flags say (nats).

    Source: the TensorFlow r1.15 page of `tf.contrib.seq2seq.sequence_loss`; behaviour as in TensorFlow Addons, except
    that shapes are strict, a weight of 0 silences NaN in value and gradient, and half precision is widened.

    The axes named by a true flag are summed. An average divides by Σ w over them, a sum by the count of weights that
    are not 0; a divisor of 0 gives 0. All flags false gives w·ce itself, [B, T].

    Args:
        logits: floats [B, T, V].
        targets: integers [B, T].
        weights: bool, integer or float [B, T].
        average_across_timesteps: sum over time and divide by the weights.
        average_across_batch: sum over the batch and divide by the weights.
        sum_over_timesteps: sum over time and divide by the count of weights that are not 0.
        sum_over_batch: sum over the batch and divide by the count of weights that are not 0.
        softmax_loss_function: called as `f(labels=[B·T], logits=[B·T, V])`, gives losses [B·T]; it gets its labels
            unchecked, 0 where the weight is 0.
        name: the name scope of the operations.

    Returns:
        A scalar, [B], [T] or [B, T], in the dtype of the logits.

    Raises:
        SettingsError: flags that contradict each other.
        InputError: as `softmax_loss`, or a loss function whose result has another shape than [B·T].

    Example:
        Two timesteps of ln 2 count, the third is padding: (0.6931 + 0.6931) / 2.

        >>> float(sequence_loss([[[0.0, 0.0]] * 3], [[0, 1, -100]], [[1, 1, 0]]).numpy().round(4))
        0.6931
    """
    check_flags(average_across_timesteps, average_across_batch, sum_over_timesteps, sum_over_batch)
    with tf.name_scope(name or "sequence_loss"):
        losses, divisors = weighted_losses(logits, targets, weights, softmax_loss_function)
        if sum_over_timesteps or sum_over_batch:
            divisors = tf.cast(tf.not_equal(divisors, 0), losses.dtype)
        summed = (average_across_batch or sum_over_batch, average_across_timesteps or sum_over_timesteps)
        axes = [axis for axis, reduced in enumerate(summed) if reduced]
        if not axes:
            return losses
        return tf.math.divide_no_nan(tf.reduce_sum(losses, axes), tf.reduce_sum(divisors, axes))
