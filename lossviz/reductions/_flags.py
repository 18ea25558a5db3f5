"""The four flags of `tf.contrib.seq2seq.sequence_loss`: which combinations have a meaning, and what each divides by.

Follows the TensorFlow r1.15 page of the function; behaviour as in TensorFlow Addons, its heir (spec/losses.md §1.5).
"""

import numpy as np

from lossviz.errors import SettingsError
from lossviz.reductions._reduced import Reduced

__all__ = ["FLAGS", "check_flags", "reduce_sequence_loss", "sum_of_weights"]

Array = np.ndarray
FLAGS = ("average_across_timesteps", "average_across_batch", "sum_over_timesteps", "sum_over_batch")


def check_flags(
    average_across_timesteps: bool, average_across_batch: bool, sum_over_timesteps: bool, sum_over_batch: bool
) -> None:
    """Refuse the nine of the sixteen combinations of `sequence_loss` flags that have no meaning.

    Raises:
        SettingsError: with the reason.

    >>> check_flags(True, True, False, False)
    >>> check_flags(True, False, False, True)
    Traceback (most recent call last):
    lossviz.errors.SettingsError: `average_across_timesteps` and `sum_over_batch` cannot both be True because of \
ambiguous order: averaging first and then summing gives another number than summing first and then averaging. \
Set one of them to False, or use both averages or both sums.
    """
    flags = dict(
        zip(FLAGS, (average_across_timesteps, average_across_batch, sum_over_timesteps, sum_over_batch), strict=True)
    )
    for first, second in (
        ("average_across_timesteps", "sum_over_timesteps"),
        ("average_across_batch", "sum_over_batch"),
    ):
        if flags[first] and flags[second]:
            raise SettingsError(
                f"`{first}` and `{second}` cannot both be True: the same axis would be averaged and summed. "
                "Set one of them to False."
            )
    for first, second in (
        ("average_across_timesteps", "sum_over_batch"),
        ("average_across_batch", "sum_over_timesteps"),
    ):
        if flags[first] and flags[second]:
            raise SettingsError(
                f"`{first}` and `{second}` cannot both be True because of ambiguous order: averaging first and then "
                "summing gives another number than summing first and then averaging. "
                "Set one of them to False, or use both averages or both sums."
            )


def reduce_sequence_loss(loss: Array, weights: Array, flags: tuple[bool, bool, bool, bool]) -> Reduced:
    """Reduce as `tf.contrib.seq2seq.sequence_loss` does, for any legal combination of its four flags.

    An averaged axis is divided by Σ w, a summed one by count(w ≠ 0); with no flag the cells stay as they are.

    >>> loss, weights = np.array([[1.0, 3.0], [2.0, 0.0]]), np.array([[1.0, 0.5], [1.0, 0.0]])
    >>> r = reduce_sequence_loss(loss, weights, (True, True, False, False))
    >>> r.numerator.item(), r.divisor.item(), r.value.item()
    (4.5, 2.5, 1.8)
    """
    check_flags(*flags)
    over_timesteps, over_batch = flags[0] or flags[2], flags[1] or flags[3]
    axes = ((0,) if over_batch else ()) + ((1,) if over_timesteps else ())
    weighted = weights * loss
    if not axes:
        return Reduced(weighted, np.ones_like(weighted), "nothing: each timestep stays as it is", axes, divides=False)
    numerator = weighted.sum(axis=axes, keepdims=True)
    where = {(0, 1): "", (0,): " at each timestep", (1,): " of each sequence"}[axes]
    if flags[0] or flags[1]:
        return Reduced(numerator, weights.sum(axis=axes, keepdims=True), sum_of_weights(weights) + where, axes)
    counted = np.count_nonzero(weights, axis=axes, keepdims=True).astype(float)
    return Reduced(numerator, counted, "timesteps with a weight other than 0" + where, axes)


def sum_of_weights(weights: Array) -> str:
    """What Σ w counts, in words.

    >>> sum_of_weights(np.array([1.0, 0.0])), sum_of_weights(np.array([0.5]))
    ('timesteps that count', 'the sum of the weights')
    """
    ones = bool(np.all((weights == 0) | (weights == 1)))
    return "timesteps that count" if ones else "the sum of the weights"
