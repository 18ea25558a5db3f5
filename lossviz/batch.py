"""A batch as it was trained on, and the one place where input is validated.

Structure is checked (ranks, shapes, dtypes); content is admitted, because wrong content is what people come to debug.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from operator import index
from typing import Any, ClassVar

import numpy as np

from lossviz.arrays import as_array, as_integers, as_lengths, as_weights, is_floating
from lossviz.errors import InputError
from lossviz.notebook import described, paragraph, table

__all__ = ["Batch"]

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class Batch:
    """Logits, targets and what says which timesteps count; made by `Batch.from_arrays`.

    Attributes:
        logits: [B, T, V] float16, bfloat16, float32 or float64; may be a `np.memmap`.
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

    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 0], [3, 0, 0]], lengths=[2, 1], pad_id=0)
    >>> batch
    Batch(B=2 sequences, T=3 timesteps, V=4 classes, logits float64, mask from lengths)
    """

    logits: Array
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

    FIELDS: ClassVar[tuple[str, ...]] = (
        "logits", "targets", "lengths", "weights", "inputs", "vocabulary", "input_vocabulary", "pad_id", "eos_id",
        "ignore_id", "segment_ids", "reported", "title",
    )  # fmt: skip

    @classmethod
    def from_arrays(
        cls,
        *,
        logits: Any,
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

        Raises:
            InputError: if a rank, shape or dtype is wrong, or a weight or length is not a finite number.

        >>> Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=np.zeros((3, 2), int))
        Traceback (most recent call last):
        lossviz.errors.InputError: `targets` must have shape (2, 3), the first two axes of `logits`; got (3, 2). If \
time comes first, pass `targets.T`.
        """
        logits = _logits(logits)
        shape, classes = logits.shape[:2], logits.shape[2]
        return cls(
            logits=logits,
            targets=as_integers("targets", targets, shape),
            lengths=None if lengths is None else as_lengths(lengths, shape[0]),
            weights=None if weights is None else as_weights(weights, shape),
            inputs=None if inputs is None else as_integers("inputs", inputs, shape),
            vocabulary=None if vocabulary is None else _vocabulary(vocabulary, classes),
            input_vocabulary=None if input_vocabulary is None else _tokens("input_vocabulary", input_vocabulary, "id"),
            pad_id=_id("pad_id", pad_id),
            eos_id=_id("eos_id", eos_id),
            ignore_id=_id("ignore_id", ignore_id),
            segment_ids=None if segment_ids is None else as_integers("segment_ids", segment_ids, shape),
            reported=None if reported is None else _reported(reported),
            title=None if title is None else str(title),
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """(B, T, V): sequences, timesteps, classes."""
        sequences, timesteps, classes = self.logits.shape
        return sequences, timesteps, classes

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
        return {name: value for name, value in named.items() if value is not None}

    def shares_losses(self, other: "Batch") -> bool:
        """Whether every timestep has the loss that it has in `other`: the same logits in memory, equal targets."""
        return self.logits is other.logits and np.array_equal(self.targets, other.targets)

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
        return (
            f"Batch({title}B={sequences} sequences, T={timesteps} timesteps, V={classes} classes, "
            f"logits {self.logits.dtype.name}, mask from {self.declared_mask})"
        )


def _logits(value: Any) -> Array:
    logits = as_array("logits", value)
    if logits.ndim != 3:
        raise InputError(
            f"`logits` must have rank 3, (sequences, timesteps, classes); got shape {logits.shape}. "
            "A single sequence needs `logits[None]`; flat logits need `logits.reshape(B, T, -1)`."
        )
    if not is_floating(logits.dtype):
        raise InputError(
            f"`logits` must be floating point (float16, bfloat16, float32 or float64); got {logits.dtype.name}. "
            "If these are scores, pass `logits.astype('float32')`; if they are token ids, they belong in `targets`."
        )
    if logits.shape[2] == 0:
        raise InputError(f"`logits` must have at least one class on the last axis; got shape {logits.shape}.")
    return logits


def _tokens(name: str, value: Any, each: str) -> tuple[str, ...]:
    wanted = f"`{name}` must be a list of strings, one per {each}, in the order of their ids"
    if isinstance(value, Mapping):
        raise InputError(f"{wanted}; got a {type(value).__name__}. Pass `sorted({name}, key={name}.get)`.")
    if isinstance(value, (str, bytes, Set)) or not isinstance(value, Iterable):
        raise InputError(f"{wanted}; got a {type(value).__name__}.")
    tokens = list(value)
    for place, token in enumerate(tokens):
        if not isinstance(token, str):
            raise InputError(f"{wanted}; entry {place} is {token!r}. Pass `[str(token) for token in {name}]`.")
    return tuple(map(str, tokens))


def _vocabulary(value: Any, classes: int) -> tuple[str, ...]:
    tokens = _tokens("vocabulary", value, "class")
    if len(tokens) != classes:
        raise InputError(
            f"`vocabulary` must have {classes} tokens, one per class of `logits`; got {len(tokens)}. "
            "Count the padding token and the special tokens too."
        )
    return tokens


def _id(name: str, value: Any) -> int | None:
    try:
        if isinstance(value, bool):
            raise TypeError
        return None if value is None else index(value)
    except TypeError:
        raise InputError(f"`{name}` must be an integer; got {value!r}.") from None


def _reported(value: Any) -> str:
    printed = value.strip() if isinstance(value, str) else _printed(value)
    try:
        float(printed)
    except ValueError:
        raise InputError(f"`reported` must be one number, as printed; got {value!r}.") from None
    return printed


def _printed(value: Any) -> str:
    array = as_array("reported", value)
    return str(array.reshape(-1)[0]) if array.size == 1 else ""
