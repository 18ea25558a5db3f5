"""How [B, T] losses become one number: each reduction's numerator and its divisor, kept apart to the last step.

Follows losses.md §1 (the five calculations) and the TensorFlow r1.15 page of `tf.contrib.seq2seq.sequence_loss`.
Adding a reduction is a row in `REDUCTIONS`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.errors import SettingsError

__all__ = ["FLAGS", "REDUCTIONS", "Reduced", "Reduction", "check_flags", "reduce_sequence_loss", "reduction_named"]

Array = np.ndarray
FLAGS = ("average_across_timesteps", "average_across_batch", "sum_over_timesteps", "sum_over_batch")


@dataclass(frozen=True)
class Reduced:
    """A numerator and its divisor, both with the reduced axes kept as length 1, and what the divisor counts."""

    numerator: Array
    divisor: Array
    counts: str
    axes: tuple[int, ...] = (0, 1)

    def squeeze(self, kept: Array) -> Any:
        """An array with the reduced axes dropped: a float, [B], [T] or [B, T].

        >>> Reduced(np.ones((2, 1)), np.ones((2, 1)), "", axes=(1,)).squeeze(np.array([[3.0], [4.0]])).tolist()
        [3.0, 4.0]
        """
        squeezed = kept.squeeze(axis=self.axes)
        return float(squeezed) if squeezed.ndim == 0 else squeezed

    @property
    def value(self) -> Array:
        """Numerator ÷ divisor; a divisor of 0 gives 0, as `tf.math.divide_no_nan` does, except that NaN stays NaN.

        >>> Reduced(np.array([[3.0, 3.0]]), np.array([[2.0, 0.0]]), "", axes=(0,)).value.tolist()
        [[1.5, 0.0]]
        """
        safe = np.where(self.divisor == 0, 1.0, self.divisor)
        return np.where((self.divisor == 0) & ~np.isnan(self.numerator), 0.0, self.numerator / safe)


@dataclass(frozen=True)
class Reduction:
    """One way to reduce: its name in `Settings`, its title on screen, its formula in LaTeX, and where it comes from.

    `reduce(loss, weights, flags)` takes the loss [B, T] with 0 where the weight is 0, and the weights [B, T].
    """

    name: str
    title: str
    formula: str
    source: str
    reduce: Callable[[Array, Array, tuple[bool, bool, bool, bool]], Reduced]


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
        return Reduced(weighted, np.ones_like(weighted), "nothing: each timestep stays as it is", axes)
    numerator = weighted.sum(axis=axes, keepdims=True)
    where = {(0, 1): "", (0,): " at each timestep", (1,): " of each sequence"}[axes]
    if flags[0] or flags[1]:
        return Reduced(numerator, weights.sum(axis=axes, keepdims=True), _sum_of_weights(weights) + where, axes)
    counted = np.count_nonzero(weights, axis=axes, keepdims=True).astype(float)
    return Reduced(numerator, counted, "timesteps with a weight other than 0" + where, axes)


def _sum_of_weights(weights: Array) -> str:
    ones = bool(np.all((weights == 0) | (weights == 1)))
    return "timesteps that count" if ones else "the sum of the weights"


def _mean(loss: Array, weights: Array, _: tuple[bool, ...]) -> Reduced:
    return reduce_sequence_loss(loss, weights, (True, True, False, False))


def _sum_over(divisor: Callable[[Array], float], counts: str) -> Callable[..., Reduced]:
    def reduce(loss: Array, weights: Array, _: tuple[bool, ...]) -> Reduced:
        numerator = (weights * loss).sum(keepdims=True)
        return Reduced(numerator, np.full((1, 1), divisor(weights)), counts)

    return reduce


REDUCTIONS: tuple[Reduction, ...] = (
    Reduction(
        "mean",
        "Mean: Σ w·loss ÷ Σ w",
        r"\frac{\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}}{\sum_{b,t} w_{bt}}",
        "sequence_loss with its default flags",
        _mean,
    ),
    Reduction(
        "language_model",
        "Sum (language model)",
        r"\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}",
        "LanguageModel.calculate_loss: overall_loss",
        _sum_over(lambda _: 1.0, "nothing: the losses are summed"),
    ),
    Reduction(
        "encoder_decoder",
        "Sum ÷ B (encoder-decoder)",
        r"\frac{\sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}}{B}",
        "Seq2SeqModel.calculate_loss: per_seq_loss",
        _sum_over(lambda w: float(w.shape[0]), "sequences in the batch"),
    ),
    Reduction(
        "classification",
        "Sigmoid sum (classifier)",
        r"\sum_b \mathrm{sigmoid\ loss}_{b,\,\mathrm{len}_b - 1}",
        "ClassificationModel.calculate_loss: overall_loss",
        _sum_over(lambda _: 1.0, "nothing: the losses are summed"),
    ),
    Reduction(
        "sequence_loss",
        "sequence_loss, four flags",
        r"\frac{\sum w\,\mathrm{loss}}{\sum w \;\mathrm{or}\; \mathrm{count}(w \ne 0)}",
        "tf.contrib.seq2seq.sequence_loss",
        reduce_sequence_loss,
    ),
)


def reduction_named(name: str) -> Reduction:
    """The row of `REDUCTIONS` of that name, which `Settings` has checked.

    >>> reduction_named("mean").source
    'sequence_loss with its default flags'
    """
    return next(reduction for reduction in REDUCTIONS if reduction.name == name)
