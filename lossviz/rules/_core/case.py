"""What the rules examine: an analysis, and the facts that several rules need, each computed once."""

from dataclasses import dataclass

import numpy as np

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.caching import cached
from lossviz.errors import NoLogitsError
from lossviz.masking import length_mask

__all__ = ["Case"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Case:
    """A batch under examination; arrays are [B, T] unless stated otherwise, and read-only.

    Attributes:
        analysis: the batch's numbers under the mask in use.
    """

    analysis: Analysis

    @property
    def batch(self) -> Batch:
        """The batch as given."""
        return self.analysis.batch

    @property
    def logits(self) -> Array:
        """The logits, [B, T, V].

        Raises:
            NoLogitsError: if the batch holds only losses.
        """
        if self.batch.logits is None:
            raise NoLogitsError
        logits: Array = self.batch.logits
        return logits

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, T, V)."""
        return self.batch.shape

    @property
    def targets(self) -> Array:
        """The class that each timestep should have predicted."""
        return self.batch.targets

    @property
    def mask(self) -> Array:
        """The timesteps that count: those whose weight is not 0."""
        return self.analysis.mask

    @cached
    def within_length(self) -> Array | None:
        """The timesteps within `lengths`; None if the batch has no lengths."""
        lengths = self.batch.lengths
        return None if lengths is None else length_mask(lengths, self.shape[1])

    @cached
    def is_pad(self) -> Array:
        """Where the target is the declared pad id; nowhere if none is declared."""
        pad = self.batch.pad_id
        return np.zeros(self.targets.shape, bool) if pad is None else self.targets == pad

    @cached
    def pad_tail(self) -> Array:
        """The run of pad ids at the end of each sequence."""
        tail: Array = np.logical_and.accumulate(self.is_pad[:, ::-1], axis=1)[:, ::-1]
        return tail

    @cached
    def pad_head(self) -> Array:
        """The run of pad ids at the start of each sequence."""
        head: Array = np.logical_and.accumulate(self.is_pad, axis=1)
        return head

    @cached
    def loss(self) -> Array:
        """Cross entropy of every timestep, padding included, in nats; NaN where the label is not a class."""
        return self.analysis.batch_loss

    @property
    def in_range(self) -> Array:
        """Where the target is a class."""
        return self.analysis.is_class

    @cached
    def counted_loss(self) -> Array:
        """The finite losses of the timesteps that count, flattened."""
        losses: Array = self.loss[self.mask & np.isfinite(self.loss)]
        return losses

    @cached
    def uniform(self) -> float:
        """Ln V: the loss of a uniform guess over all classes.

        Raises:
            NoLogitsError: if nothing says how many there are; the vocabulary of recorded losses may be partial.
        """
        if self.batch.logits is None and self.batch.vocabulary is not None:
            raise NoLogitsError("The number of classes")
        return float(np.log(self.shape[2] or self.analysis.classes))

    @cached
    def is_untrained(self) -> bool:
        """Whether the mean of the losses that count is within 5 % of ln V: such logits tell nothing."""
        losses = self.counted_loss
        return bool(losses.size == 0 or abs(losses.mean() - self.uniform) < 0.05 * self.uniform)

    @cached
    def nothing(self) -> Array:
        """A mask that selects no timestep, [B, T] bool."""
        return np.zeros(self.targets.shape, bool)

    def lacks(self, needs: tuple[str, ...]) -> tuple[str, ...]:
        """The optional fields in `needs` that the batch lacks.

        >>> from lossviz import analyze
        >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], pad_id=0)
        >>> Case(analyze(batch)).lacks(("pad_id", "inputs"))
        ('inputs',)
        """
        return tuple(name for name in needs if getattr(self.batch, name) is None)

    def missing(self, needs: tuple[str, ...]) -> str:
        """A sentence that names the optional fields in `needs` that the batch lacks; "" if it has them all."""
        if "logits" in self.lacks(needs):
            return str(NoLogitsError())
        named = " and ".join(f"`{name}`" for name in self.lacks(needs))
        return f"Needs {named}, which this batch does not have." if named else ""
