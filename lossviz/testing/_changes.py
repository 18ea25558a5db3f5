"""What must not matter to a loss: more padding, and whatever logits and targets the padding holds."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import InputError, did_you_mean
from lossviz.testing._probe import Arrays

__all__ = ["CHANGES", "Change", "chosen_changes"]

Array = np.ndarray
COLUMNS = 3


@dataclass(frozen=True)
class Change:
    """One change of the padding.

    Attributes:
        name: what `changes=` calls it.
        words: the change as a clause, for messages.
        apply: (arrays, batch) → the changed arrays.
        refused: the likely cause where the loss function raises.
        moved: the likely cause where the loss changes.
    """

    name: str
    words: str
    apply: Callable[[Arrays, Batch], Arrays]
    refused: str = "NUM01"
    moved: str = "NUM01"

    @property
    def nonfinite(self) -> bool:
        """Whether it puts NaN or infinity into the logits."""
        return self.name in ("nan", "inf", "-inf")

    def cells(self, arrays: Arrays, changed: Arrays) -> Array:
        """The timesteps that it changed, [B, T] of the changed arrays."""
        cells: Array = ~changed.counts
        if self.name == "columns":
            cells[:, : arrays.targets.shape[1]] = False
        return cells


def _garbage(shape: tuple[int, ...], dtype: np.dtype) -> Array:
    return (np.random.default_rng(0).normal(size=shape) * 20).astype(dtype)


def _append(arrays: Arrays, batch: Batch) -> Arrays:
    rows, _, classes = arrays.logits.shape
    pad = 0 if batch.pad_id is None or not 0 <= batch.pad_id < classes else batch.pad_id
    more = (
        _garbage((rows, COLUMNS, classes), arrays.logits.dtype),
        np.full((rows, COLUMNS), pad, arrays.targets.dtype),
        np.zeros((rows, COLUMNS), arrays.weights.dtype),
    )
    return Arrays(*(np.concatenate(parts, axis=1) for parts in zip(arrays, more, strict=True)))


def _logits(fill: float | None) -> Callable[[Arrays, Batch], Arrays]:
    def apply(arrays: Arrays, _: Batch) -> Arrays:
        filled = _garbage(arrays.logits.shape, arrays.logits.dtype) if fill is None else np.float32(fill)
        return arrays._replace(logits=np.where(arrays.counts[..., None], arrays.logits, filled))

    return apply


def _targets(fill: Callable[[Arrays], Array | int]) -> Callable[[Arrays, Batch], Arrays]:
    def apply(arrays: Arrays, _: Batch) -> Arrays:
        return arrays._replace(targets=np.where(arrays.counts, arrays.targets, fill(arrays)))

    return apply


CHANGES: tuple[Change, ...] = (
    Change("columns", f"{COLUMNS} columns of padding are appended", _append, "PAD02", "PAD02"),
    Change(
        "targets",
        "the targets of padding are changed to other classes",
        _targets(lambda arrays: (arrays.targets + 1) % arrays.logits.shape[2]),
        "PAD04",
        "PAD04",
    ),
    Change("logits", "the logits of padding have other values", _logits(None), "PAD01", "PAD01"),
    Change("nan", "the logits of padding are NaN", _logits(np.nan)),
    Change("inf", "the logits of padding are inf", _logits(np.inf)),
    Change("-inf", "the logits of padding are -inf", _logits(-np.inf)),
    Change("ignore_id", "the targets of padding are -100", _targets(lambda _: -100), "PAD12", "PAD04"),
    Change(
        "out_of_range",
        "the targets of padding are V",
        _targets(lambda arrays: arrays.logits.shape[2]),
        "PAD13",
        "PAD04",
    ),
)
"""In the order in which they are tried: those that train something wrong come first."""


def chosen_changes(names: Iterable[str] | None, classes: int) -> tuple[Change, ...]:
    """The changes with those names, in the order of `CHANGES`; None means all.

    Raises:
        InputError: if there is no such change.

    >>> [change.words for change in chosen_changes(["out_of_range", "nan"], 6)]
    ['the logits of padding are NaN', 'the targets of padding are 6']
    """
    known = [change.name for change in CHANGES]
    wanted = known if names is None else [names] if isinstance(names, str) else list(names)
    for name in wanted:
        if name not in known:
            hint = did_you_mean(str(name), known, "'")
            raise InputError(f"`changes` must be among {', '.join(map(repr, known))}; got {name!r}.{hint}")
    said = (change for change in CHANGES if change.name in wanted)
    return tuple(replace(change, words=change.words.replace("are V", f"are {classes}")) for change in said)
