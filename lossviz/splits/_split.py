"""The numbers of a cut: the sum and the weight of each part, and the means computed from them."""

from dataclasses import dataclass

import numpy as np

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.reductions import quotient
from lossviz.splits._cut import Cut
from lossviz.splits._messages import why

__all__ = ["Split", "simulate_split"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Split:
    """A batch cut into G parts, and the resulting numbers in nats.

    Attributes:
        cut: the cut of the batch.
        weights: [B, T], the weight of each loss.
        sums: [G], Σ w·loss of each part; `counts`: [G], its Σ w.
    """

    cut: Cut
    weights: Array
    sums: Array
    counts: Array

    @property
    def means(self) -> Array:
        """The mean of each part, [G]; NaN (0 ÷ 0) where nothing counts."""
        return np.where(self.counts == 0, np.nan, quotient(self.sums, self.counts))

    @property
    def sum_of_means(self) -> float:
        """Σ S_g / N_g, the result of accumulating without dividing; a part in which nothing counts adds 0."""
        return float(quotient(self.sums, self.counts).sum())

    @property
    def mean_of_means(self) -> float:
        """Σ S_g / N_g ÷ G, where a part in which nothing counts gives 0, as `tf.math.divide_no_nan` does."""
        return self.sum_of_means / max(len(self.sums), 1)

    @property
    def torch_mean_of_means(self) -> float:
        """The same where a part in which nothing counts gives NaN, as `torch.nn.functional.cross_entropy` does."""
        return float(self.means.sum() / max(len(self.sums), 1))

    @property
    def divided_once(self) -> float:
        """Σ S_g ÷ Σ N_g, the fix: sum over all parts, then divide; this is the mean over the whole batch."""
        return float(quotient(self.sums.sum(), self.counts.sum()))

    @property
    def part_of(self) -> Array:
        """The part of each timestep, [B, T]."""
        labels = self.cut.labels
        along = labels[:, None] if self.cut.words.axis == 0 else labels[None, :]
        return np.broadcast_to(along, self.weights.shape)

    @property
    def coefficients(self) -> Array:
        """The coefficient of each loss in the mean of means, [B, T]: w ÷ (G · N_g)."""
        return quotient(self.weights, len(self.counts) * self.counts[self.part_of])

    @property
    def coefficients_once(self) -> Array:
        """The coefficient of each loss if the sum is divided once, [B, T]: w ÷ N."""
        return quotient(self.weights, np.asarray(self.counts.sum()))

    @property
    def ratio(self) -> Array:
        """How many times more a timestep weighs in the mean of means, [B, T]; NaN where it does not count."""
        return self.ratio_every(1, 1)

    def ratio_every(self, sequences: int, timesteps: int) -> Array:
        """`ratio`, of every n-th sequence and timestep only."""
        thin = np.index_exp[::sequences, ::timesteps]
        each = len(self.counts) * self.counts[self.part_of[thin]]
        return np.where(self.weights[thin] == 0, np.nan, quotient(np.asarray(self.counts.sum()), each))

    @property
    def agrees(self) -> bool:
        """Whether the mean of means is the mean; other than by chance, only if all parts weigh the same."""
        return bool(np.isclose(self.mean_of_means, self.divided_once, rtol=1e-9, atol=1e-12))

    @property
    def sentence(self) -> str:
        """Why the mean of means differs from the mean, or why it does not."""
        return why(self.cut, self.weights, self.counts, agrees=self.agrees)


def simulate_split(analysis: Analysis, cut: Cut) -> Split:
    """Cut the batch of an analysis and average each part separately, under its mask.

    Raises:
        InputError: if the cut has another number of sequences, or timesteps, than the batch.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.splits import cut_evenly
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 2)), targets=np.zeros((2, 3), int), lengths=[3, 1])
    >>> split = simulate_split(analyze(batch), cut_evenly("ranks", 2, 2))
    >>> split.counts.tolist(), split.ratio.round(4).tolist()
    ([3.0, 1.0], [[0.6667, 0.6667, 0.6667], [2.0, nan, nan]])
    """
    axis, of = cut.words.axis, cut.words.of
    length = analysis.weights.shape[axis]
    if cut.length != length:
        raise InputError(f"`cut` must hold the {length} {of}s of the batch; got one of {cut.length}. Cut it anew.")
    sums, counts = (
        np.bincount(cut.labels, array.sum(axis=1 - axis), len(cut.parts))
        for array in (analysis.unpadded_loss, analysis.weights)
    )
    return Split(cut, analysis.weights, sums, counts)
