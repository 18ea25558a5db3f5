"""The inputs of the conventions' formulas: the arrays of an analysis, under its mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lossviz.analysis import Analysis
from lossviz.caching import cached
from lossviz.errors import SettingsError
from lossviz.masking import length_mask
from lossviz.reductions import Options, Reduction

__all__ = ["Terms", "terms_of"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Terms:
    """Losses, weights and everything else in the formulas; arrays are [B, T].

    Attributes:
        analysis: their source.
    """

    analysis: Analysis

    @cached
    def weights(self) -> Array:
        """The weight of each loss."""
        return self.analysis.weights

    @cached
    def counts(self) -> Array:
        """Where the weight is not 0."""
        return self.analysis.mask

    @cached
    def everywhere(self) -> Array:
        """The loss of every timestep, padding included, in nats; NaN where a label is not a class."""
        return self.analysis.batch_loss

    @cached
    def loss(self) -> Array:
        """The loss where it counts, 0 elsewhere; NaN where the length or the label is impossible."""
        return self.under_mask(self.everywhere)

    @cached
    def uniform_loss(self) -> Array:
        """The mean over the classes of −log p, everywhere: the term of label smoothing."""
        return self.analysis.alternatives().uniform_loss

    @cached
    def total_loss(self) -> float:
        """Σ w · loss."""
        return self.total(self.loss)

    @cached
    def total_uniform_loss(self) -> float:
        """Σ w · the mean over the classes of −log p."""
        return self.total(self.under_mask(self.uniform_loss))

    @cached
    def total_square(self) -> float:
        """Σ w · (log Σ exp of the logits)², what the z-loss adds."""
        return self.total(self.under_mask(self.analysis.logsumexp**2))

    @cached
    def total_weight(self) -> float:
        """Σ w."""
        return float(self.weights.sum())

    @cached
    def sequence_sums(self) -> tuple[Array, Array]:
        """Σ_t w·loss and Σ_t w of each sequence, both [B]."""
        return (self.weights * self.loss).sum(axis=1), self.weights.sum(axis=1)

    @cached
    def total_of_next(self) -> float:
        """Σ w · −log p of the logits [:, :-1] and the targets [:, 1:], with the weights of the targets."""
        weights = self.weights[:, 1:]
        return float(np.where(weights != 0, weights * self.analysis.losses_against(self.targets[:, 1:]), 0.0).sum())

    @cached
    def unmasked_ends(self) -> Array:
        """Where each sequence's last unmasked timestep ends, [B], whatever its length says."""
        until: Array = (self.counts * np.arange(1, self.counts.shape[1] + 1)).max(axis=1, initial=0)
        return until

    @cached
    def keras_mask(self) -> Array:
        """The mask that a Keras layer carries beside `sample_weight`: of the lengths, else of where the weights end.

        Where the mask in use is not made of weights, there is one mask only, and it is the one in use.
        """
        if self.analysis.mask_name != "weights":
            return self.counts
        return length_mask(self.analysis.ends, self.counts.shape[1])

    @property
    def targets(self) -> Array:
        """The class that each timestep should have predicted."""
        return self.analysis.batch.targets

    @property
    def classes(self) -> int:
        """V; 2 of a classifier's one logit."""
        return self.analysis.classes

    def total(self, values: Array) -> float:
        """Σ w · values, of values that are 0 where nothing counts."""
        return float((self.weights * values).sum())

    def under_mask(self, values: Array) -> Array:
        """Values where they count, 0 elsewhere; NaN where an unmasked loss is undefined."""
        masked = np.where(self.counts, values, 0.0)
        masked[self._undefined] = np.nan
        return masked

    @cached
    def _undefined(self) -> tuple[Array, ...]:
        """Where the loss that counts is NaN: index arrays, mostly empty."""
        return np.nonzero(self.counts & np.isnan(self.analysis.unpadded_loss))

    def reduced(self, row: Reduction, is_masked: bool, options: Options) -> tuple[float, float, str, bool]:
        """Reduce by a row of `REDUCTIONS`, under the mask or over all timesteps: numerator, divisor, counts, divides.

        Both are NaN where flags of `sequence_loss` keep an axis, which gives no one number. Several conventions ask.
        """
        key = (row.name, is_masked, options)
        if key not in self._reduced:
            weights = self.weights if is_masked else np.ones(self.weights.shape)
            one = row.reduce(self.loss if is_masked else self.everywhere, weights, options)
            is_one = len(one.axes) == 2
            above, below = (one.numerator.item(), one.divisor.item()) if is_one else (np.nan, np.nan)
            self._reduced[key] = above, below, one.counts, one.divides
        return self._reduced[key]

    @cached
    def _reduced(self) -> dict[tuple[str, bool, Options], tuple[float, float, str, bool]]:
        return {}

    def require_per_class(self, name: str, per_class: Sequence[float]) -> None:
        """Refuse an option `name` that does not have one number for each class.

        Raises:
            SettingsError: if it does not.
        """
        if len(per_class) != self.classes:
            raise SettingsError(
                f"`{name}` must have {self.classes} numbers, one for each class of `logits`; got {len(per_class)}."
            )

    def of_target(self, name: str, per_class: Sequence[float]) -> Array:
        """The value of a per-class option for each target; NaN where a label is not a class.

        Raises:
            SettingsError: if the option `name` does not have one number for each class.
        """
        self.require_per_class(name, per_class)
        known = (self.targets >= 0) & (self.targets < self.classes)
        return np.where(known, np.asarray(per_class)[np.where(known, self.targets, 0)], np.nan)


def terms_of(analysis: Analysis) -> Terms:
    """The terms of an analysis.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]], lengths=[1])
    >>> terms_of(analyze(batch)).loss.round(4).tolist()
    [[1.3863, 0.0]]
    """
    return Terms(analysis)
