"""The numbers that come of a cut: each part's sum and weight, and what is made of them."""

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
    """A batch cut into G parts, and the numbers that come of it, in nats.

    Attributes:
        cut: which sequence or timestep lies in which part.
        weights: [B, T], what each loss is multiplied by.
        sums: [G], Σ w·loss of each part; `counts`: [G], its Σ w.
    """

    cut: Cut
    weights: Array
    sums: Array
    counts: Array

    @property
    def means(self) -> Array:
        """Each part's own mean, [G]; NaN, 0 ÷ 0, where nothing counts."""
        return np.where(self.counts == 0, np.nan, quotient(self.sums, self.counts))

    @property
    def sum_of_means(self) -> float:
        """Σ S_g / N_g, what accumulation without a division gives; a part in which nothing counts adds 0."""
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
        """Σ S_g ÷ Σ N_g, which mends it: sum over all parts, then divide; the mean over the whole batch."""
        return float(quotient(self.sums.sum(), self.counts.sum()))

    @property
    def part_of(self) -> Array:
        """Which part each timestep lies in, [B, T]."""
        labels = self.cut.labels
        along = labels[:, None] if self.cut.words.axis == 0 else labels[None, :]
        return np.broadcast_to(along, self.weights.shape)

    @property
    def coefficients(self) -> Array:
        """What each loss is multiplied by under the mean of means, [B, T]: w ÷ (G · N_g)."""
        return quotient(self.weights, len(self.counts) * self.counts[self.part_of])

    @property
    def coefficients_once(self) -> Array:
        """What each loss is multiplied by when it is divided once, [B, T]: w ÷ N."""
        return quotient(self.weights, np.asarray(self.counts.sum()))

    @property
    def ratio(self) -> Array:
        """How much more a timestep weighs under the mean of means, [B, T]: 1 is the same; NaN where it never counts."""
        return self.ratio_every(1, 1)

    def ratio_every(self, sequences: int, timesteps: int) -> Array:
        """`ratio` of every n-th sequence and timestep."""
        thin = np.index_exp[::sequences, ::timesteps]
        each = len(self.counts) * self.counts[self.part_of[thin]]
        return np.where(self.weights[thin] == 0, np.nan, quotient(np.asarray(self.counts.sum()), each))

    @property
    def agrees(self) -> bool:
        """Whether the mean of means is the mean, as it is by rights only where all parts weigh the same."""
        return bool(np.isclose(self.mean_of_means, self.divided_once, rtol=1e-9, atol=1e-12))

    @property
    def sentence(self) -> str:
        """Why the mean of means is another number than the mean, or why it is the same one."""
        return why(self.cut, self.weights, self.counts, agrees=self.agrees)


def simulate_split(analysis: Analysis, cut: Cut) -> Split:
    """Cut the batch of an analysis, under its mask, and average each part by itself.

    Raises:
        InputError: if the cut is not one of this batch's sequences, or timesteps.

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
