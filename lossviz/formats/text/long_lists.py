"""Long lists of numbers in JSON, a block at a time: a Python object for every number at once takes too much memory.

Nothing here words an error. Whatever is not plainly what it should be gives None, and the parser that looks at one
number at a time says what is wrong and where.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["cut_lists", "list_of_numbers", "pieces"]

_LIST = 10_000  # characters of a list that is worth cutting out
_BLOCK = 1 << 23  # characters read together
_SPACES, _NUMBER = b" \t\r\n", b"0123456789+-.eENaInfity"
_IN_A_ROW = bytes.maketrans(b"[]\t\r\n", b"     ")
_MARK = b"\\u0000"


def list_of_numbers(text: bytes) -> npt.NDArray[Any] | None:
    """A nested list of numbers in JSON as an array; None where it is ragged or no JSON.

    With its numbers and spaces left out, a rectangular list of shape (2, 2) is `[[,],[,]]` and nothing else.

    >>> list_of_numbers(b"[[1, 2], [3, 4.5]]")
    array([[1. , 2. ],
           [3. , 4.5]])
    >>> list_of_numbers(b"[[1, 2], [3]]"), list_of_numbers(b"[[1,] 2, [3, 4]]")
    (None, None)
    """
    structure, blocks = list[bytes](), list[npt.NDArray[Any]]()
    for piece in pieces(text, b","):
        dense = piece.translate(None, _SPACES)
        if b"," in (dense[:1], dense[-1:]) or (blocks and dense[:1] == b"]") or dense[-1:] == b"[" or _has_gap(dense):
            return None
        structure.append(dense.translate(None, _NUMBER))
        try:
            found = json.loads(b"[" + piece.translate(_IN_A_ROW) + b"]")
        except ValueError:
            return None
        values = np.array(found)
        whole = not any(letter in dense for letter in (b".", b"e", b"E", b"n"))
        if values.dtype != (np.int64 if whole else np.float64) or values.ndim != 1:
            return None
        blocks.append(values)
    shape = _shape(b",".join(structure))
    return None if shape is None else np.concatenate(blocks).reshape(shape)


def _has_gap(dense: bytes) -> bool:
    """Whether a comma stands beside the inside of a bracket; beside its outside it has to."""
    letters = np.frombuffer(dense, np.uint8)
    opening, closing = ((letters == ord(bracket)).nonzero()[0] for bracket in "[]")
    after, before = opening[opening < len(letters) - 1] + 1, closing[closing > 0] - 1
    return bool((letters[after] == ord(",")).any() or (letters[before] == ord(",")).any())


def _shape(structure: bytes) -> tuple[int, ...] | None:
    """The shape of a list by its brackets and commas."""
    depth = len(structure) - len(structure.lstrip(b"["))
    level, shape = b"", list[int]()
    for opening in range(depth, 0, -1):
        end = structure.find(b"]" * (depth - opening + 1), opening)  # of the first list at that depth
        count = structure.count(level + b"," if level else b",", opening, end) + 1 if end >= 0 else 0
        if not count:
            return None
        shape.insert(0, count)
        level = b"[" + b",".join([level] * count) + b"]"
        if len(level) > len(structure):
            return None
    return tuple(shape) if depth and level == structure else None


def cut_lists(text: bytes) -> tuple[bytes, dict[str, npt.NDArray[Any]]]:
    r"""JSON with a mark in the place of each long list of numbers, and the arrays by their marks.

    A mark is a quoted text, so one that was put inside of a text leaves something that is no JSON.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    pieces, start = list[bytes](), 0
    for first, end in _lists(text) if _MARK not in text else ():
        array = list_of_numbers(text[first:end])
        if array is not None:
            mark = f"\0{len(arrays)}"
            arrays[mark] = array
            pieces += [text[start:first], f'"\\u0000{mark[1:]}"'.encode()]
            start = end
    return b"".join([*pieces, text[start:]]), arrays


def _lists(text: bytes) -> Iterator[tuple[int, int]]:
    """Where something long stands that may be a list of numbers: between quotes and braces, from bracket to bracket."""
    place = 0
    while place < len(text):
        quote = text.find(b'"', place)
        quote = quote if quote >= 0 else len(text)
        if quote - place >= _LIST:
            brace = text.find(b"}", place, quote)
            stop = brace if brace >= 0 else quote
            first, end = text.find(b"[", place, stop), text.rfind(b"]", place, stop) + 1
            if first >= 0 and end - first >= _LIST:
                yield first, end
        place = quote + 1


def pieces(text: bytes, end: bytes) -> Iterator[bytes]:
    """The text in pieces, each without the letter that ends it."""
    start = 0
    while start < len(text):
        stop = text.find(end, start + _BLOCK)
        stop = stop if stop >= 0 else len(text)
        yield text[start:stop]
        start = stop + 1
