"""What the formulas of the conventions are made of: the arrays of an analysis, under its mask."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lossviz.analysis import Analysis

__all__ = ["Terms", "terms_of"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Terms:
    """Losses, weights and what else the formulas name; arrays are [B, T].

    Attributes:
        analysis: where they come from.
    """

    analysis: Analysis

    @cached_property
    def weights(self) -> Array:
        """What each loss is multiplied by."""
        return self.analysis.weights

    @cached_property
    def counts(self) -> Array:
        """Where the weight is not 0."""
        return self.analysis.mask

    @cached_property
    def everywhere(self) -> Array:
        """The loss of every timestep, padding included, in nats; NaN where a label is no class."""
        return self.analysis.batch_loss

    @cached_property
    def loss(self) -> Array:
        """The loss where it counts, 0 elsewhere; NaN where the length or the label makes no sense."""
        return self.under_mask(self.everywhere)

    @cached_property
    def logsumexp(self) -> Array:
        """Log Σ exp of the logits, everywhere."""
        return self.analysis.alternatives().logsumexp

    @cached_property
    def uniform_loss(self) -> Array:
        """The mean over the classes of −log p, everywhere: the term of label smoothing."""
        return self.analysis.alternatives().uniform_loss

    @property
    def classes(self) -> int:
        """V; 2 of a classifier's one logit."""
        return int(self.analysis.scores.shape[2])

    def under_mask(self, values: Array) -> Array:
        """Values where they count, 0 elsewhere; NaN where the loss that counts has none."""
        undefined = self.counts & np.isnan(self.analysis.unpadded_loss)
        return np.where(self.counts, np.where(undefined, np.nan, values), 0.0)


def terms_of(analysis: Analysis) -> Terms:
    """The terms of an analysis.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]], lengths=[1])
    >>> terms_of(analyze(batch)).loss.round(4).tolist()
    [[1.3863, 0.0]]
    """
    return Terms(analysis)
