"""A batch as it was trained on, and the one place where input is validated.

Structure is checked (ranks, shapes, dtypes); content is admitted, because wrong content is what people come to debug.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from lossviz.arrays import as_integers, as_lengths, as_weights
from lossviz.batch._checks import checked_classes, checked_id, checked_logits, checked_reported, checked_tokens
from lossviz.batch._recorded import RECORDED, checked_losses, checked_recorded
from lossviz.errors import InputError
from lossviz.notebook import described, paragraph, table

__all__ = ["Batch"]

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Batch:
    """Logits or losses, targets, and what says which timesteps count; made by `Batch.from_arrays`.

    Attributes:
        logits: [B, T, V] float16, bfloat16, float32 or float64, in memory or left in their file, or None.
        targets: [B, T] int64, the class that each timestep should have predicted.
        lengths: [B] int64 (float64 where one is fractional or beyond int64), or None.
        weights: [B, T] float64, or None.
        inputs: [B, T] int64, what the model read, or None.
        vocabulary: V tokens, or None.
        input_vocabulary: the tokens of the inputs, where they are not those of the classes, or None.
        pad_id: the id that fills the rows up, or None; eos_id and ignore_id likewise.
        segment_ids: [B, T] int64, which packed document a timestep belongs to, or None.
        reported: the number that the training loop printed, as printed, or None.
        title: a name for screens and files, or None.
        assumptions: what `lossviz.load` took for granted about the file, a clause each; no argument of `from_arrays`.
        losses: [B, T] float64, −log p of the target in nats where there are no logits, NaN where not recorded; or None.
        entropy: [B, T] float64, recorded with the losses, in nats, or None; `rank` of the target likewise.
        top_classes: [B, T, K] int64, recorded with the losses, or None; `top_probabilities` float64 likewise.
        classes: V, or None where neither logits, nor a vocabulary, nor a count says.
        num_items_in_batch: the labels of all micro-batches of a step, by which a trainer divides a sum, or None.
        labels_per_timestep: K, where a timestep with K labels stands as K timesteps of two classes, or None.

    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 0], [3, 0, 0]], lengths=[2, 1], pad_id=0)
    >>> batch
    Batch(B=2 sequences, T=3 timesteps, V=4 classes, logits float64, mask from lengths)
    """

    logits: Any  # an array, or None
    targets: Array
    lengths: Array | None = None
    weights: Array | None = None
    inputs: Array | None = None
    vocabulary: tuple[str, ...] | None = None
    input_vocabulary: tuple[str, ...] | None = None
    pad_id: int | None = None
    eos_id: int | None = None
    ignore_id: int | None = None
    segment_ids: Array | None = None
    reported: str | None = None
    title: str | None = None
    assumptions: tuple[str, ...] = ()
    losses: Array | None = None
    entropy: Array | None = None
    rank: Array | None = None
    top_classes: Array | None = None
    top_probabilities: Array | None = None
    classes: int | None = None
    num_items_in_batch: int | None = None
    labels_per_timestep: int | None = None

    FIELDS: ClassVar[tuple[str, ...]] = (
        "logits", "targets", "lengths", "weights", "inputs", "vocabulary", "input_vocabulary", "pad_id", "eos_id",
        "ignore_id", "segment_ids", "reported", "title", "losses", *RECORDED, "classes",
        "num_items_in_batch", "labels_per_timestep",
    )  # fmt: skip

    @classmethod
    def from_arrays(
        cls,
        *,
        logits: Any = None,
        targets: Any,
        lengths: Any = None,
        weights: Any = None,
        inputs: Any = None,
        vocabulary: Sequence[str] | None = None,
        input_vocabulary: Sequence[str] | None = None,
        pad_id: int | None = None,
        eos_id: int | None = None,
        ignore_id: int | None = None,
        segment_ids: Any = None,
        reported: str | float | None = None,
        title: str | None = None,
        losses: Any = None,
        log_probs: Any = None,
        entropy: Any = None,
        rank: Any = None,
        top_classes: Any = None,
        top_probabilities: Any = None,
        classes: int | None = None,
        num_items_in_batch: int | None = None,
        labels_per_timestep: int | None = None,
    ) -> "Batch":
        """Check the structure of plain arrays (NumPy, TensorFlow, PyTorch, JAX, lists) and keep them as a Batch.

        Args:
            logits: [B, T, V] floats, before the softmax.
            targets: [B, T] integers.
            lengths: [B] numbers of timesteps that count.
            weights: [B, T] numbers or booleans; they win over `lengths`.
            inputs: [B, T] integers.
            vocabulary: V strings.
            input_vocabulary: strings, in the order of the ids of `inputs`; absent, those of `vocabulary`.
            pad_id: an integer, like `eos_id` and `ignore_id`.
            eos_id: an integer.
            ignore_id: an integer.
            segment_ids: [B, T] integers.
            reported: the printed loss, as a number or as the string that was printed.
            title: a name.
            losses: [B, T] numbers, −log p of the target in nats, instead of `logits`; NaN where not recorded.
            log_probs: [B, T] numbers, log p of the target in nats, instead of `losses`.
            entropy: [B, T] numbers in nats, beside `losses`.
            rank: [B, T] numbers, 1 where the target was the first choice, beside `losses`.
            top_classes: [B, T, K] integers, the likeliest first, beside `losses`.
            top_probabilities: [B, T, K] numbers.
            classes: V, beside `losses`, where there is no vocabulary.
            num_items_in_batch: an integer, like `labels_per_timestep`.
            labels_per_timestep: an integer.

        Raises:
            InputError: if a rank, shape or dtype is wrong, or a weight or length is not a finite number.

        >>> Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=np.zeros((3, 2), int))
        Traceback (most recent call last):
        lossviz.errors.InputError: `targets` must have shape (2, 3), the first two axes of `logits`; got (3, 2). If \
time comes first, pass `targets.T`.
        """
        recorded = (entropy, rank, top_classes, top_probabilities)
        if logits is not None:
            if losses is not None or log_probs is not None or any(value is not None for value in recorded):
                raise InputError(
                    "`logits` give the losses and all that was recorded with them; pass `logits`, or the rest."
                )
            logits = checked_logits(logits)
            shape = logits.shape[:2]
        else:
            losses = checked_losses(losses, log_probs)
            shape = losses.shape
        words = None if vocabulary is None else checked_tokens("vocabulary", vocabulary, "class")
        return cls(
            logits=logits,
            losses=losses,
            classes=checked_classes(logits, words, classes),
            **checked_recorded(shape, **dict(zip(RECORDED, recorded, strict=True))),
            targets=as_integers("targets", targets, shape),
            lengths=None if lengths is None else as_lengths(lengths, shape[0]),
            weights=None if weights is None else as_weights(weights, shape),
            inputs=None if inputs is None else as_integers("inputs", inputs, shape),
            vocabulary=words,
            input_vocabulary=None
            if input_vocabulary is None
            else checked_tokens("input_vocabulary", input_vocabulary, "id"),
            pad_id=checked_id("pad_id", pad_id),
            eos_id=checked_id("eos_id", eos_id),
            ignore_id=checked_id("ignore_id", ignore_id),
            segment_ids=None if segment_ids is None else as_integers("segment_ids", segment_ids, shape),
            reported=None if reported is None else checked_reported(reported),
            title=None if title is None else str(title),
            num_items_in_batch=checked_id("num_items_in_batch", num_items_in_batch),
            labels_per_timestep=checked_id("labels_per_timestep", labels_per_timestep),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, T, V): sequences, timesteps, classes; V is 0 where `classes` is None."""
        sequences, timesteps = self.targets.shape
        return sequences, timesteps, self.classes or 0

    @property
    def declared_mask(self) -> str:
        """What the batch says counts: weights, else lengths, else an ignore id, else a pad id, else none."""
        declared = ("weights", self.weights), ("lengths", self.lengths), ("ignore_id", self.ignore_id)
        named = next((name for name, value in declared if value is not None), None)
        return named or ("nonpad" if self.pad_id is not None else "none")

    def token(self, class_id: int) -> str:
        """The vocabulary's word for a class, or the id itself where there is no word for it."""
        known = self.vocabulary is not None and 0 <= class_id < len(self.vocabulary)
        return self.vocabulary[class_id] if self.vocabulary is not None and known else str(class_id)

    def input_token(self, input_id: int) -> str:
        """The word for an id of `inputs`: from `input_vocabulary` if there is one, else from `vocabulary`."""
        words = self.vocabulary if self.input_vocabulary is None else self.input_vocabulary
        return words[input_id] if words is not None and 0 <= input_id < len(words) else str(input_id)

    def fields(self) -> dict[str, Any]:
        """The arguments that `from_arrays` would need to make this batch again, without the absent ones."""
        named = {name: getattr(self, name) for name in self.FIELDS}
        if self.logits is not None or self.vocabulary is not None:
            del named["classes"]  # they say so themselves
        return {name: value for name, value in named.items() if value is not None}

    def shares_losses(self, other: "Batch") -> bool:
        """Whether every timestep has the loss that it has in `other`: the same logits in memory, equal targets.

        Without logits: equal losses, and all that was recorded with them.
        """
        if self.logits is not None or other.logits is not None:
            same = self.logits is other.logits
        else:
            same = self.classes == other.classes and all(
                _equal(getattr(self, name), getattr(other, name)) for name in ("losses", *RECORDED)
            )
        return same and np.array_equal(self.targets, other.targets)

    def replace(self, **changes: Any) -> "Batch":
        """The same batch with some arguments changed, validated again.

        >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]])
        >>> batch.replace(lengths=[1]).declared_mask
        'lengths'
        """
        return dataclasses.replace(Batch.from_arrays(**{**self.fields(), **changes}), assumptions=self.assumptions)

    def _repr_html_(self) -> str:
        rows = [(name, described(value)) for name, value in self.fields().items()]
        return paragraph(repr(self)) + table(rows, named=True)

    def __repr__(self) -> str:
        sequences, timesteps, classes = self.shape
        title = f"{self.title!r}, " if self.title else ""
        held = "losses and no logits" if self.logits is None else f"logits {self.logits.dtype.name}"
        return (
            f"Batch({title}B={sequences} sequences, T={timesteps} timesteps, "
            f"V={classes or 'unknown'}{' classes' if classes else ''}, {held}, mask from {self.declared_mask})"
        )


def _equal(one: Array | None, other: Array | None) -> bool:
    """Whether two recorded arrays hold the same, NaN where the other has NaN; or both are absent."""
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
