"""The inputs of all formulas: the arrays of an analysis, and what is known about the training loop."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lossviz.analysis import Analysis
from lossviz.caching import cached
from lossviz.identification._components import unchanged
from lossviz.identification._partition import Partition, Totals, Weighed, by_columns, by_rows, whole
from lossviz.reductions import Options

if TYPE_CHECKING:
    from lossviz.engine import Alternatives

__all__ = ["Context", "amount", "plural"]

Array = np.ndarray
COPIES, FOLLOWS = 0.95, 0.5
"""The share of inputs that must be the targets, and must not be the targets before them, to be copies."""

FEWEST, GAIN, ERRORS = 8, 0.25, 3.0
"""A fit is clear on so many timesteps, by a mean of that many nats, and by that many of its standard errors."""


@dataclass(frozen=True, eq=False)
class Context:
    """Losses, weights and counts of one batch, for every formula; arrays are [B, T].

    Attributes:
        analysis: the batch analyzed under its declared mask.
        options: how the training loop was configured, as far as it is known.

    >>> from lossviz import Batch, analyze
    >>> context = Context(analyze(Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 3], [1, 0, 0]],
    ...                                         lengths=[3, 1])), Options())
    >>> context.counting, context.padding, context.ends.tolist(), context.is_full
    (4, 2, [3, 1], False)
    """

    analysis: Analysis
    options: Options

    @cached
    def loss(self) -> Array:
        """The loss of every timestep, padding included; NaN where an unmasked loss is undefined."""
        undefined = self.analysis.mask & np.isnan(self.analysis.unpadded_loss)
        return np.where(undefined, np.nan, self.analysis.batch_loss)

    @property
    def weights(self) -> Array:
        """The declared weight of each loss."""
        return self.analysis.weights

    @property
    def targets(self) -> Array:
        """The class that each timestep should have predicted."""
        return self.analysis.batch.targets

    @property
    def ends(self) -> Array:
        """Where each sequence ends, [B]: its length, else just after its last unmasked timestep."""
        return self.analysis.ends

    @property
    def sequences(self) -> int:
        """B."""
        return len(self.weights)

    @property
    def timesteps(self) -> int:
        """T."""
        return int(self.weights.shape[1])

    @property
    def classes(self) -> int:
        """V; 2 for a classifier with one logit."""
        return self.analysis.classes

    @property
    def positions(self) -> int:
        """B·T."""
        return self.weights.size

    @cached
    def counting(self) -> int:
        """The number of unmasked timesteps."""
        return int(self.analysis.mask.sum())

    @property
    def padding(self) -> int:
        """The number of masked timesteps."""
        return self.positions - self.counting

    @property
    def is_classifier(self) -> bool:
        """Whether there is one logit per timestep, read as two classes."""
        return self.analysis.is_classifier

    @cached
    def loss_of_next(self) -> Array:
        """The loss of every timestep against the target of the next one; of the last against the first."""
        return self.analysis.losses_against(np.roll(self.targets, -1, axis=1))

    @property
    def fits_as_given(self) -> bool:
        """Whether the logits fit their own targets clearly better than the next ones: nothing is left to shift."""
        return self._gain_of_given > 0 and not self._copies_inputs  # tied embeddings fit copies before any training

    @property
    def is_shifted_inside(self) -> bool:
        """Whether a model shifts these labels inside: they copy the inputs, or the logits clearly fit the next ones."""
        return self._copies_inputs or self._gain_of_given < 0

    @cached
    def _gain_of_given(self) -> float:
        """By how many nats the logits fit their own targets better than the next ones; 0 where that is not clear."""
        if not self.analysis.has_logits or self.timesteps < 2 or self.is_classifier:
            return 0.0
        both = (self.weights != 0)[:, :-1] & (self.weights != 0)[:, 1:]
        gains = (self.loss_of_next - self.loss)[:, :-1][both]
        gains = gains[np.isfinite(gains)]
        if gains.size < FEWEST:
            return 0.0
        gain = float(gains.mean())
        return gain if abs(gain) > max(GAIN, ERRORS * gains.std() / np.sqrt(gains.size)) else 0.0

    @cached
    def _copies_inputs(self) -> bool:
        """Whether the targets are the inputs of their own timestep, and do not only say the same word over and over."""
        inputs, counts = self.analysis.batch.inputs, (self.weights != 0) & (self.targets >= 0)
        if inputs is None or counts.sum() < 2:
            return False
        both = counts[:, 1:] & counts[:, :-1]
        follows = (inputs[:, 1:] == self.targets[:, :-1])[both]
        return bool(
            (inputs == self.targets)[counts].mean() >= COPIES and (not follows.size or follows.mean() < FOLLOWS)
        )

    @cached
    def is_prefix(self) -> bool:
        """Whether each sequence is unmasked from its start to its end, so that only padding after it is masked."""
        return np.array_equal(self.weights != 0, np.arange(self.timesteps) < self.ends[:, None])

    @property
    def is_padded(self) -> bool:
        """Whether everything masked is padding, rather than a prompt or a timestep that a classifier does not read."""
        return self.is_prefix or (self.analysis.mask_name in ("lengths", "nonpad") and not self.is_classifier)

    @property
    def padding_note(self) -> str:
        """How many positions do not count, to follow the number of all positions and a comma."""
        if not self.padding:
            return "none of them padding"
        if self.is_padded:
            return f"{self.padding:,} of them padding"
        return f"{self.padding:,} of which {'does' if self.padding == 1 else 'do'} not count"

    @property
    def what_counts(self) -> str:
        """What Σ w counts, in words with the number."""
        if self.has_binary_weights:
            return f"the {self.counting:,} timestep{' that counts' if self.counting == 1 else 's that count'}"
        return f"the sum of the weights, {amount(self.weight)}"

    @cached
    def words(self) -> dict[str, int | str]:
        """The values for the templates `Reduction.divided_by` and `Reduction.clause`."""
        return {
            "counting": self.counting,
            "filled": int(np.count_nonzero(self.weights.any(axis=1))),
            "first_labels": int(np.count_nonzero(self.weights[:, :1])),
            "padding": self.padding_note,
            "positions": self.positions,
            "positions_with_start": self.positions + self.sequences,
            "sequences": self.sequences,
            "timesteps": self.timesteps,
            "timesteps_less_one": self.timesteps - 1,
            "weights": self.what_counts,
            "weights_and": self.what_counts + ("" if self.has_binary_weights else ","),
        }

    @cached
    def is_full(self) -> bool:
        """Whether every weight is 1."""
        return bool((self.weights == 1).all())

    @cached
    def has_binary_weights(self) -> bool:
        """Whether every weight is 0 or 1."""
        return bool(np.isin(self.weights, (0, 1)).all())

    @cached
    def total(self) -> float:
        """Σ w·loss."""
        return float(self.analysis.unpadded_loss.sum())

    @property
    def weight(self) -> float:
        """Σ w."""
        return float(self.weights.sum())

    @cached
    def everything(self) -> Partition:
        """All timesteps as one part."""
        return whole(self.weights.shape)

    @cached
    def each_sequence(self) -> Partition:
        """Each sequence as a part."""
        return by_rows(self.weights.shape, np.arange(self.sequences), self.sequences)

    @cached
    def each_timestep(self) -> Partition:
        """Each timestep of all sequences as a part."""
        return by_columns(self.weights.shape, np.arange(self.timesteps), self.timesteps)

    @cached
    def weighed(self) -> Weighed:
        """The declared weights, and their sums over parts."""
        return Weighed(self.weights)

    @cached
    def totals(self) -> Totals:
        """The sums of w·loss over parts."""
        return self.weighed.totals(self.loss, unchanged)

    @cached
    def alternatives(self) -> "Alternatives":
        """Other losses of the same logits."""
        return self.analysis.alternatives()


def plural(count: int, noun: str) -> str:
    """A count and its noun.

    >>> plural(1, "timestep"), plural(1234, "timestep")
    ('1 timestep', '1,234 timesteps')
    """
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def amount(number: float) -> str:
    """A number in a sentence, with as many digits as are useful.

    >>> amount(13.8), amount(11.0), amount(1 / 3), amount(1234567.0)
    ('13.8', '11', '0.33333', '1.2346e+06')
    """
    return f"{number:,.0f}" if float(number).is_integer() and abs(number) < 1e6 else f"{number:.5g}"
