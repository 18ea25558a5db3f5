"""A long CSV table, a block at a time: a fifth of the time that one Python object per cell takes, and of the memory.

Nothing here words an error. Whatever is not plainly what it should be gives None, and the reader that looks at one cell
at a time says what is wrong and where. NumPy's parser does it: Arrow's is as fast on one core, and crashed here
(SIGSEGV) in a thread of its own after a table that it had refused.
"""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lossviz.digits import is_number
from lossviz.formats.text.long_lists import pieces

__all__ = ["LONG", "LongTable", "read_table"]

LONG = 1 << 20
"""Tables of so many bytes are read this way."""

_EXACT = 2**53  # float64 holds every whole number below
_NOT_WHOLE = np.isin(np.arange(256), list(b".eEnNiI"))


def _numbers(text: bytes, count: int) -> npt.NDArray[np.float64] | None:
    """As many numbers with commas between them; None where the text holds anything else.

    >>> _numbers(b"1.5, nan, -2e3", 3)
    array([ 1.5e+00,      nan, -2.0e+03])
    >>> _numbers(b"1, 2 3", 2), _numbers(b"1,,3", 3)
    (None, None)
    """
    if b"+-" in text:  # read as -
        return None
    try:
        values = np.fromstring(text, np.float64, sep=",")
    except (ValueError, DeprecationWarning):  # today it stops at what is no number, and will raise
        return None
    return values if len(values) == count else None


@dataclass(frozen=True)
class LongTable:
    """The cells of a table.

    Attributes:
        numbers: float64 [rows, columns]; 0 in columns of texts.
        whole: bool [columns]; all of the column's numbers are written as whole numbers.
        texts: the columns of texts.
        header: the places of all columns.
    """

    numbers: npt.NDArray[np.float64]
    whole: npt.NDArray[np.bool_]
    texts: dict[str, list[str]]
    header: dict[str, int]

    def columns(self, without: frozenset[str]) -> dict[str, npt.NDArray[Any]] | None:
        """The columns [rows] by their names, int64, float64 or objects; None where one has too large whole numbers."""
        found = dict[str, npt.NDArray[Any]]()
        for name in self.header:
            if name in self.texts:
                found[name] = np.array(self.texts[name], dtype=object)
            elif name not in without:
                block = self.block([name])
                if block is None:
                    return None
                found[name] = block[:, 0]
        return found

    def block(self, names: list[str]) -> npt.NDArray[Any] | None:
        """Some columns [rows, n] as int64 or float64; None where one holds texts, or too large whole numbers."""
        if not self.texts.keys().isdisjoint(names):
            return None
        places = [self.header[name] for name in names]
        adjoin = places == list(range(places[0], places[0] + len(places)))
        some = self.numbers[:, places[0] : places[0] + len(places)] if adjoin else self.numbers[:, places]
        if not self.whole[places].all():
            return some
        return some.astype(np.int64) if (np.abs(some) < _EXACT).all() else None


def read_table(text: bytes, skipped: int, delimiter: str, header: list[str], *, texts: set[str]) -> LongTable | None:
    """The rows of a CSV table without quotes.

    Args:
        text: the table, header included.
        skipped: lines before its first row.
        delimiter: what separates the cells.
        header: the names of the columns.
        texts: names of columns that are texts even where all of it is digits.
    """
    start = 0
    for _ in range(skipped):
        start = text.find(b"\n", start) + 1
        if not start:
            return None
    body = text[start:].rstrip(b"\r\n")
    if not body or b'"' in body:
        return None
    first = body.partition(b"\n")[0].split(delimiter.encode())
    words = {name for name, cell in zip(header, first, strict=False) if cell.strip() and not is_number(cell)} | texts
    places = {name: place for place, name in enumerate(header)}
    held: dict[str, list[str]] = {name: [] for name in header if name in words}
    spans = {places[name]: column for name, column in held.items()}
    blocks, whole = list[npt.NDArray[Any]](), np.ones(len(header), bool)
    for piece in pieces(body, b"\n"):
        cells = _cells(piece, delimiter.encode(), len(header), spans)
        if cells is None:
            return None
        blocks.append(cells[0])
        whole &= cells[1]
    return LongTable(np.concatenate(blocks), whole, held, places)


def _cells(
    rows: bytes, delimiter: bytes, columns: int, texts: dict[int, list[str]]
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]] | None:
    """The numbers of some rows [rows, columns], and which columns of them are whole; texts are added to theirs."""
    structure = rows.translate(None, bytes(set(range(256)) - {delimiter[0], ord("\n")})) + b"\n"
    row = delimiter * (columns - 1) + b"\n"
    count = len(structure) // len(row)
    if structure != row * count:
        return None
    rows = rows.translate(bytes.maketrans(delimiter + b"\r\n", b", ,")) if delimiter != b"," else rows.translate(_LINES)
    if b",," in rows or rows[:1] == b"," or rows[-1:] == b",":
        rows = re.sub(rb"(?<=,)(?=,)|^(?=,)|(?<=,)$", b"nan", rows)
    letters = np.frombuffer(rows, np.uint8)
    starts = np.append(0, (letters == ord(",")).nonzero()[0] + 1)
    if texts:
        ends = np.append(starts[1:] - 1, len(rows))
        letters = letters.copy()
        for place, column in texts.items():
            spans = list(zip(starts[place::columns].tolist(), ends[place::columns].tolist(), strict=True))
            try:
                column += [rows[start:end].decode() for start, end in spans]
            except UnicodeDecodeError:
                return None
            for start, end in spans:
                letters[start:end] = ord("0")
        rows = letters.tobytes()
    values = _numbers(rows, count * columns)
    if values is None:
        return None
    parts = np.logical_or.reduceat(_NOT_WHOLE[letters], starts)
    return values.reshape(count, columns), np.invert(parts.reshape(count, columns).any(axis=0))


_LINES = bytes.maketrans(b"\r\n", b" ,")
