"""How a batch is cut into parts along its sequences or its timesteps."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from lossviz.errors import InputError, not_one_of

__all__ = ["KINDS", "Cut", "Kind", "cut_evenly", "cut_typed"]

Array = np.ndarray


class Kind(NamedTuple):
    """How to cut: a title, the axis of [B, T], what is along that axis, and the name of one part."""

    title: str
    axis: int
    of: str
    part: str


KINDS = {
    "micro-batches": Kind("Micro-batches", 0, "sequence", "micro-batch"),
    "ranks": Kind("Ranks", 0, "sequence", "rank"),
    "chunks": Kind("Context-parallel chunks", 1, "timestep", "chunk"),
}
"""The kinds of cut: micro-batches and ranks along the sequences, chunks along the timesteps."""


@dataclass(frozen=True)
class Cut:
    """A batch cut into parts along its sequences or its timesteps.

    Args:
        kind: one of `KINDS`.
        parts: the sequences, or timesteps, of each part: ((0,), (1, 2)).

    Raises:
        InputError: if the kind is unknown, a part is empty, or the parts do not contain each of 0 … n−1 exactly once.

    >>> Cut("ranks", ((0,), (1, 2))).labels.tolist()
    [0, 1, 1]
    """

    kind: str
    parts: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        _check_kind(self.kind)
        _check_parts(self.parts, self.length, self.words)

    @property
    def words(self) -> Kind:
        """The words for this kind of cut."""
        return KINDS[self.kind]

    @property
    def length(self) -> int:
        """The number of sequences, or timesteps."""
        return sum(map(len, self.parts))

    @property
    def labels(self) -> Array:
        """The part of each sequence, or timestep."""
        labels = np.zeros(self.length, np.int64)
        for number, part in enumerate(self.parts):
            labels[list(part)] = number
        return labels

    def name(self, number: int) -> str:
        """The name of a part.

        >>> cut_evenly("ranks", 2, 2).name(1)
        'rank 1'
        """
        return f"{self.words.part} {number}"


def cut_evenly(kind: str, length: int, count: int) -> Cut:
    """Cut into `count` parts of equal size, in order; the first ones are longer by one if it does not divide evenly.

    >>> cut_evenly("micro-batches", 5, 2).parts
    ((0, 1, 2), (3, 4))
    """
    parts = np.array_split(np.arange(length), max(1, min(count, length)))
    return Cut(kind, tuple(tuple(part.tolist()) for part in parts if len(part)))


def cut_typed(kind: str, length: int, text: str) -> Cut:
    """Read a cut as people type it: the sizes in order, or the contents of each part.

    Raises:
        InputError: if it cannot be read or is not a cut of that length.

    >>> cut_typed("ranks", 3, "1, 2").parts, cut_typed("ranks", 4, "0, 3 | 1-2").parts
    (((0,), (1, 2)), ((0, 3), (1, 2)))
    """
    of = _check_kind(kind).of
    parts = [part.replace(",", " ").split() for part in text.split("|")]
    if not all(_is_typed(word, sizes=len(parts) == 1) for part in parts for word in part):
        raise InputError(
            f"Type the sizes in order, such as 1, 2, or the {of}s of each part, such as 0 | 1-2; got {text[:80]!r}."
        )
    if len(parts) == 1:
        return _cut_sizes(kind, length, [int(size) for size in parts[0]])
    places = tuple(tuple(place for word in part for place in _places(word, length, of)) for part in parts)
    _check_parts(places, length, KINDS[kind])
    return Cut(kind, places)


def _is_typed(word: str, *, sizes: bool) -> bool:
    ends = [word] if sizes else word.split("-")
    return len(ends) <= 2 and all(end.isascii() and end.isdecimal() and len(end) < 16 for end in ends)


def _places(word: str, length: int, of: str) -> range:
    first, _, last = word.partition("-")
    if max(int(first), int(last or first)) >= length:
        raise InputError(f"The {of}s of the batch are 0 to {length - 1}; got {word}.")
    return range(int(first), int(last or first) + 1)


def _cut_sizes(kind: str, length: int, sizes: list[int]) -> Cut:
    if sum(sizes) != length:
        added = " + ".join(map(str, sizes[:8])) + (" + …" if sizes[8:] else "")
        raise InputError(
            f"The sizes must add up to the {length} {KINDS[kind].of}s of the batch; "
            + (f"{added} is {sum(sizes)}." if sizes else "none was typed.")
        )
    edges = np.cumsum([0, *sizes]).tolist()
    return Cut(kind, tuple(tuple(range(*ends)) for ends in pairwise(edges)))


def _check_kind(kind: str) -> Kind:
    if kind not in KINDS:
        raise InputError(not_one_of("kind", kind, KINDS))
    return KINDS[kind]


def _check_parts(parts: tuple[tuple[int, ...], ...], length: int, words: Kind) -> None:
    for number, part in enumerate(parts):
        if not part:
            raise InputError(f"Each {words.part} must hold a {words.of}; {words.part} {number} holds none.")
    counted = Counter(place for part in parts for place in part)
    place, times = counted.most_common(1)[0] if counted else (0, 1)
    if times > 1:
        raise InputError(f"Each {words.of} must lie in one {words.part}; {words.of} {place} is named twice.")
    missing = sorted(set(range(length)) - counted.keys())
    if missing:
        raise InputError(f"Each {words.of} must lie in a {words.part}; {words.of} {missing[0]} lies in none.")
