"""Typed text: sequences of tokens or ids, pasted logits, and logits made to order.

Follows from what a person types into a box; everything here is a pure function from text to lists and arrays.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lossviz.display_text import printable
from lossviz.errors import FormatError, InputError, did_you_mean
from lossviz.formats._common import LIMITS, listing
from lossviz.formats._pasted import check_length, parse_logits

__all__ = ["KINDS", "PAD", "Typed", "make_logits", "pad", "parse_logits", "parse_sequences"]

PAD = "<pad>"
KINDS = ("confident", "random", "uniform", "wrong")

_ID = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_LISTS = re.compile(r"\[(?=[^\d]*\d)[\[\]\s,\d+-]*", re.ASCII)  # nested lists of ids, as Python and NumPy print them
_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
EMPTY = "[]"  # a line of a sequence of length 0


@dataclass(frozen=True)
class Typed:
    """Typed sequences.

    Attributes:
        targets: one list of ids a sequence, each as long as it was typed.
        lengths: their lengths [B].
        vocabulary: the tokens by their ids; None where ids were typed without one.
        ids: whether ids were typed, and not tokens.
        zero_pads: whether the zeros that ended lines were taken as padding.
        left_out: the numbers, from 1, of empty lines between the others.
    """

    targets: list[list[int]]
    lengths: list[int]
    vocabulary: list[str] | None
    ids: bool
    zero_pads: bool = False
    left_out: tuple[int, ...] = ()


def parse_sequences(text: str, vocabulary: Sequence[str] | None = None, *, zero_pads: bool = True) -> Typed:
    r"""Read one sequence a line: ids where every word is a whole number, else tokens.

    Args:
        text: words separated by white space, or nested lists of ids, as Python or NumPy print them. Empty lines are
            left out; `[]` is a sequence of length 0. Between ids, ` / ` ends a line too.
        vocabulary: the tokens by their ids; None builds it in the order of first appearance, after `<pad>`.
        zero_pads: whether ids of lines of one length may end in padding: zeros, where 0 stands nowhere else.

    Raises:
        FormatError: nothing was typed, too much was, or a token is not in the vocabulary; says where.

    >>> parse_sequences("the cat sat\nthe dog").vocabulary
    ['<pad>', 'the', 'cat', 'sat', 'dog']
    >>> parse_sequences("3 1 2 4 0\n2 5 0 0 0").lengths, parse_sequences("[[1, 2, 3], [4, 5]]").targets
    ([4, 2], [[1, 2, 3], [4, 5]])
    """
    check_length(text)
    lines, left_out = _lines(text)
    if not lines:
        raise FormatError("No sequence was typed. Write one per line, its tokens or ids separated by spaces.")
    ids = all(_ID.fullmatch(word) for _, words in lines for word in words)
    known = None if vocabulary is None else list(vocabulary)
    if not ids:
        known, rows = _tokens(lines, known)
        return Typed(rows, [len(row) for row in rows], known, ids, left_out=left_out)
    rows = [[_id(word, number, place) for place, word in enumerate(words, 1)] for number, words in lines]
    lengths = [len(row) for row in rows]
    real = _lengths_before_zeros(rows) if zero_pads else lengths
    return Typed(rows, real, known, ids, real != lengths, left_out)


def _lines(text: str) -> tuple[list[tuple[int, list[str]]], tuple[int, ...]]:
    """The words of each line that has some, by its number from 1; and the numbers of empty lines between them."""
    if _LISTS.fullmatch(text.strip()):
        lists = _INNERMOST.findall(text)
        if re.sub(r"[\s,]", "", _INNERMOST.sub("", text)) not in ("", "[]"):
            raise FormatError("The brackets do not match. Write a list of lists of ids, such as [[1, 2, 3], [4, 5]].")
        return [(number, row.replace(",", " ").split()) for number, row in enumerate(lists, 1)], ()
    written = text.split("\n")
    if "/" in (words := text.split()) and all(word == "/" or _ID.fullmatch(word) for word in words):
        written = " ".join(words).split("/")
    filled = [number for number, line in enumerate(written, 1) if line.strip()]
    left_out = [number for number in range(1, max(filled, default=0)) if number not in set(filled)]
    words_of = {number: written[number - 1].split() for number in filled}
    return [(number, [] if words == [EMPTY] else words) for number, words in words_of.items()], tuple(left_out)


def _lengths_before_zeros(rows: list[list[int]]) -> list[int]:
    """The lengths without the zeros at the end, where those can only be padding."""
    lengths = [len(row) for row in rows]
    real = [next((end for end in range(len(row), 0, -1) if row[end - 1] != 0), 0) for row in rows]
    elsewhere = any(0 in row[:end] for row, end in zip(rows, real, strict=True))
    return lengths if len(rows) < 2 or len(set(lengths)) > 1 or elsewhere or not any(real) else real


def _id(word: str, line: int, place: int) -> int:
    if not -(2**63) <= int(word) < 2**63:
        raise FormatError(f"Line {line}, id {place} must fit in 64 bits; got {word}.")
    return int(word)


def _tokens(lines: list[tuple[int, list[str]]], vocabulary: list[str] | None) -> tuple[list[str], list[list[int]]]:
    """The vocabulary and the ids of every line's tokens."""
    if vocabulary is None:
        vocabulary = list(dict.fromkeys([PAD, *(word for _, words in lines for word in words)]))
    ids = {token: index for index, token in reversed(list(enumerate(vocabulary)))}
    for number, words in lines:
        for place, word in enumerate(words, 1):
            if word not in ids:
                known = f"the {len(vocabulary)} tokens of the vocabulary"
                raise FormatError(
                    f"Line {number}, token {place}: `{printable(word, 80)}` is not among {known}."
                    f"{printable(did_you_mean(word, vocabulary[:10_000])) or ' Add it to the vocabulary.'}"
                )
    return vocabulary, [[ids[word] for word in words] for _, words in lines]


def pad(rows: Sequence[Sequence[int]], pad_id: int = 0, timesteps: int | None = None) -> npt.NDArray[np.int64]:
    """Pad sequences of ids to one length, as an array [B, T].

    Args:
        rows: the ids of each sequence.
        pad_id: what stands after the end.
        timesteps: T; None takes the longest sequence.

    Raises:
        InputError: a sequence is longer than T.

    >>> pad([[1, 2, 3], [4]])
    array([[1, 2, 3],
           [4, 0, 0]])
    """
    longest = max(map(len, rows), default=0)
    width = longest if timesteps is None else timesteps
    if longest > width:
        row = next(index for index, ids in enumerate(rows) if len(ids) > width)
        raise InputError(
            f"`timesteps` must be at least {longest}; got {width}, and sequence {row} is longer. Raise it."
        )
    if len(rows) * width > LIMITS.typed_cells:
        raise InputError(
            f"{len(rows)} × {width:,} timesteps are more than {LIMITS.typed_cells:,}. Open them as a file."
        )
    padded = np.full((len(rows), width), pad_id, np.int64)
    for row, ids in enumerate(rows):
        padded[row, : len(ids)] = ids
    return padded


def make_logits(
    kind: str,
    targets: npt.ArrayLike,
    classes: int,
    *,
    wrong: Iterable[tuple[int, int]] = (),
    seed: int = 0,
    temperature: float = 1.0,
    margin: float = 8.0,
) -> npt.NDArray[np.float32]:
    """Make logits [B, T, V] to order, the same ones every time.

    Args:
        kind: "uniform" (all 0: every loss is ln V), "confident" (the target `margin` above the rest), "wrong"
            (confident, but in the cells `wrong` for the class after the target), or "random" (normal, from the seed).
        targets: ids [B, T]; a timestep whose target is no class gets uniform logits where the kind looks at targets.
        classes: V.
        wrong: the cells (sequence, timestep) that are confidently wrong.
        seed: of the random logits.
        temperature: what the logits are divided by.
        margin: how far a confident logit is above the others.

    Raises:
        InputError: an unknown kind, targets that aren't [B, T], a cell outside of them, or too many logits.

    >>> make_logits("wrong", [[0, 1]], 3, wrong=[(0, 1)])
    array([[[8., 0., 0.],
            [0., 0., 8.]]], dtype=float32)
    """
    ids = np.asarray(targets)
    _check_order(kind, ids, classes, temperature)
    shape = (*ids.shape, classes)
    if kind == "uniform":
        return np.zeros(shape, np.float32)
    if kind == "random":
        with np.errstate(over="ignore"):
            return (np.random.default_rng(seed).standard_normal(shape) / temperature).astype(np.float32)
    peak = ids.copy()
    for cell in wrong if kind == "wrong" else ():
        if not all(0 <= index < size for index, size in zip(cell, ids.shape, strict=True)):
            raise InputError(f"`wrong` must name cells of the targets {ids.shape}; got {tuple(cell)}. Count from 0.")
        peak[cell] = (ids[cell] + 1) % classes if 0 <= ids[cell] < classes else ids[cell]
    return np.where(np.arange(classes) == peak[..., None], np.float32(margin / temperature), np.float32(0))


def _check_order(kind: str, ids: npt.NDArray[np.generic], classes: int, temperature: float) -> None:
    if kind not in KINDS:
        raise InputError(f"`kind` must be {listing(KINDS, 'or')}; got `{kind}`.{did_you_mean(kind, KINDS)}")
    if ids.ndim != 2 or ids.dtype.kind not in "iu":
        raise InputError(
            f"`targets` must be whole numbers [B, T]; got shape {ids.shape}, {ids.dtype.name}. Pad them first."
        )
    if classes < 1 or ids.size * classes > LIMITS.typed_cells:
        raise InputError(
            f"`classes` must be at least 1, and {ids.size:,} × V at most {LIMITS.typed_cells:,} logits; got "
            f"{classes:,}. Open larger logits as a file."
        )
    if kind == "wrong" and classes == 1:
        raise InputError("`classes` must be at least 2 for confidently wrong logits; got 1. Choose another kind.")
    if not 0 < temperature < np.inf:
        raise InputError(f"`temperature` must be above 0; got {temperature}. 1 leaves the logits as they are.")
