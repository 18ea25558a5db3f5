"""What the figures, conventions, candidates and rules all ask of an analysis, derived once."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.batch import Batch
from lossviz.caching import cached
from lossviz.errors import NoLogitsError
from lossviz.file_arrays import FileArray
from lossviz.masking import real_timesteps, sequence_ends
from lossviz.measuring import alternatives_of, scores
from lossviz.problems import Problem, not_a_class, odd_weights
from lossviz.settings import Settings
from lossviz.timesteps import Timesteps

if TYPE_CHECKING:
    from lossviz.engine import Alternatives

__all__ = ["Derived"]

Array = np.ndarray


class Derived:
    """The derived members of `Analysis`, its only subclass; arrays are [B, T] unless said."""

    batch: Batch
    settings: Settings
    batch_loss: Array
    weights: Array
    probability: Array
    entropy: Array
    rank: Array
    mask_name: str
    problems: tuple[Problem, ...]
    top_classes: Array
    top_probabilities: Array
    _timesteps: Timesteps

    @cached
    def mask(self) -> Array:
        """Where a timestep is unmasked: its weight is not 0, [B, T] bool."""
        unmasked: Array = self.weights != 0
        return unmasked

    @property
    def is_classifier(self) -> bool:
        """Whether the one logit per timestep is a sigmoid's, read at one timestep of each sequence."""
        return self.settings.is_classifier

    @cached
    def real_timesteps(self) -> Array:
        """Where a timestep is no padding, [B, T] bool: the mask, before a classifier reads one timestep of each row."""
        return real_timesteps(self.batch, self.mask_name)

    @cached
    def odd_weights(self) -> Array:
        """Where a weight is negative, or 254 or 255, which no mask means, [B, T] bool."""
        return odd_weights(self.weights)

    @cached
    def ends(self) -> Array:
        """Where each sequence ends, [B]: its length, else just after its last unmasked timestep."""
        return sequence_ends(self.batch, self.mask_name, self.mask)

    @property
    def scores(self) -> Array:
        """The logits of the softmax, [B, T, V]; [B, T, 2] where a classifier has one logit."""
        return scores(self.batch, self.settings)

    def scores_at(self, sequence: int, timestep: int) -> Array:
        """The logits of one timestep's softmax, float64 [V]; of a classifier's sigmoid the pair (0, z).

        >>> from lossviz.analysis import analyze
        >>> analyze(Batch.from_arrays(logits=[[[3.0]]], targets=[[1]])).scores_at(0, 0).tolist()
        [0.0, 3.0]
        """
        logits = np.asarray(self.batch.logits[sequence, timestep], np.float64)
        return np.concatenate([[0.0], logits]) if self.is_classifier else logits

    @property
    def has_logits(self) -> bool:
        """Whether the batch has logits; without them, what was not recorded can't be told."""
        return self.batch.logits is not None

    @cached
    def recorded(self) -> Array:
        """Where the loss is known, [B, T] bool: everywhere with logits, else where it was recorded."""
        known: Array = np.ones(self.weights.shape, bool) if self.has_logits else ~np.isnan(self._timesteps.loss)
        return known

    @property
    def classes(self) -> int:
        """How many classes a target may name: V, or 2 where a classifier has one logit.

        Raises:
            NoLogitsError: if nothing says how many there are.
        """
        if self.is_classifier:
            return 2
        if self.batch.classes is None:
            raise NoLogitsError("The number of classes")
        return self.batch.classes

    @cached
    def is_class(self) -> Array:
        """Where the target is a class, [B, T] bool."""
        outside: Array = not_a_class(self.batch.targets, 2 if self.is_classifier else self.batch.classes)
        return ~outside

    @cached
    def largest_logit(self) -> Array:
        """The largest logit of each timestep, float64."""
        return self._logits_at(self.top_classes[..., 0])

    @cached
    def logsumexp(self) -> Array:
        """Log Σ_v exp(z_v) of each timestep; NaN where a logit is NaN or +inf, or all are -inf.

        Needs no second pass over the logits: p = exp(z − logsumexp) of the class with the largest logit is known.

        >>> from lossviz.analysis import analyze
        >>> analyze(Batch.from_arrays(logits=np.zeros((1, 1, 4)), targets=[[-100]])).logsumexp.round(4).tolist()
        [[1.3863]]
        """
        with np.errstate(invalid="ignore"):
            total: Array = self.largest_logit - self._log_largest
        return total

    def losses_against(self, targets: Array, *, every: int = 1) -> Array:
        """Losses of the logits against other targets [B, t], at the first t timesteps; NaN where one is no class.

        With `every`, only every so many sequences are looked at, and the targets are theirs: [⌈B / every⌉, t].
        −log p_y = (z_max − z_y) − log p_max: subtracting the logits first keeps the digits of large ones.

        >>> from lossviz.analysis import analyze
        >>> batch = Batch.from_arrays(logits=np.log([[[0.25, 0.75]]]), targets=[[1]])
        >>> analyze(batch).losses_against(np.array([[0]])).round(4).tolist()  # ln 4
        [[1.3863]]
        """
        if not self.has_logits:
            raise NoLogitsError("The loss against other targets")
        width = targets.shape[1]
        known = (targets >= 0) & (targets < self.classes)
        with np.errstate(invalid="ignore"):
            below = self.largest_logit[::every, :width] - self._logits_at(np.where(known, targets, 0), every)
        return np.where(known, below - self._log_largest[::every, :width], np.nan)

    @cached
    def _log_largest(self) -> Array:
        """Log of the largest probability of each timestep."""
        logarithm: Array = np.log(self.top_probabilities[..., 0])
        return logarithm

    def alternatives(self) -> "Alternatives":
        """What else the logits give, for label smoothing, z-loss and bugs: a second pass, made once for a batch."""
        return alternatives_of(self.batch, self.settings, self._timesteps)

    def _logits_at(self, classes: Array, every: int = 1) -> Array:
        """One logit of each of the first t timesteps, at the class [B, t] named for it."""
        scores: Any
        scores, index = self.scores[::every, : classes.shape[1]], np.maximum(classes, 0).astype(np.int64)
        if isinstance(scores, FileArray) or not scores.flags.c_contiguous:
            rows, timesteps = np.ogrid[: index.shape[0], : index.shape[1]]
            logits: Array = scores[rows, timesteps, index].astype(np.float64)
            return logits
        index += scores.shape[2] * np.arange(index.size).reshape(index.shape)
        flat: Array = scores.reshape(-1)[index].astype(np.float64)  # in half the time of three indices
        return flat
