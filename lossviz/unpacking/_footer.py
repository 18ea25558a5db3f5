"""The footer of a Parquet file, as far as sizes go, in Thrift's compact encoding.

pyarrow reads it too, and ends the process (SIGABRT) where it asks about a column whose sizes contradict the schema: its
`RowGroupMetaData.column` lets no C++ exception through. So nothing here asks pyarrow about a column of a file.

Source: apache/parquet-format, parquet.thrift (FileMetaData), and Thrift's specification of the compact protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from lossviz.errors import FormatError

__all__ = ["Chunk", "Group", "footer_of"]

MAGIC = b"PAR1"
MOST_BYTES, MOST_ENTRIES = 64 * 2**20, 1_000_000
"""Of a footer, and of a list in it; pyarrow refuses longer lists, too."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One column in one row group, as the footer says.

    Attributes:
        name: of the column; `path`: with the names inside of it.
        values: how many there are, of a list its entries.
        unpacked: how many bytes they have unpacked; `packed`: as they stand in the file.
        start: where its first page begins.
        ends: the lowest and the highest value as they stand in the file, or None.
    """

    name: str
    path: str
    values: int
    unpacked: int
    packed: int
    start: int
    ends: tuple[bytes, bytes] | None

    def integers(self) -> tuple[int, int] | None:
        """The lowest and the highest value of a column of integers."""
        low, high = self.ends or (b"", b"")
        if not low or not high:
            return None
        return int.from_bytes(low, "little", signed=True), int.from_bytes(high, "little", signed=True)


@dataclass(frozen=True, slots=True)
class Group:
    """A row group: how many rows it has, and its columns."""

    rows: int
    chunks: tuple[Chunk, ...]


def footer_of(stream: IO[bytes], name: str) -> tuple[Group, ...]:
    """The row groups of a Parquet file.

    Raises:
        FormatError: it has no footer, or one that can't be read.
    """
    size = stream.seek(0, 2)
    stream.seek(max(0, size - 8))
    tail = stream.read(8)
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != MAGIC or length > min(size - 8, MOST_BYTES):
        raise _damaged(name)
    stream.seek(size - 8 - length)
    try:
        footer, _ = _value(stream.read(length), 0, 12, _FOOTER)
        return tuple(footer.get(4, ()))
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError, RecursionError):
        raise _damaged(name) from None


def _damaged(name: str) -> FormatError:
    return FormatError(f"`{name}` was cut off or damaged: its footer can't be read. Save or copy it again.")


def _group(fields: dict[int, Any]) -> Group:
    return Group(fields[3], tuple(fields.get(1, ())))


def _chunk(fields: dict[int, Any]) -> Chunk:
    about = fields[3]
    path = [part.decode() for part in about[3]]
    first, dictionary = about[9], about.get(11) or 0
    statistics = about.get(12) or {}
    return Chunk(
        name=path[0],
        path=".".join(path),
        values=about[5],
        unpacked=about[6],
        packed=about[7],
        start=dictionary if 0 < dictionary < first else first,
        ends=(statistics[6], statistics[5]) if 5 in statistics and 6 in statistics else None,
    )


# What is read of each struct, by the ids of its fields: a number, bytes, a struct, or a list with what is made of each.
_STATISTICS: Mapping[int, Any] = {5: bytes, 6: bytes}
_COLUMN = {3: (bytes, bytes), 5: int, 6: int, 7: int, 9: int, 11: int, 12: _STATISTICS}
_GROUP = {1: ({3: _COLUMN}, _chunk), 3: int}
_FOOTER = {4: (_GROUP, _group)}
_EMPTY: Mapping[int, Any] = {}


def _varint(data: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
        shift += 7
        if shift > 63:
            raise IndexError


def _value(data: bytes, at: int, kind: int, wanted: Any) -> tuple[Any, int]:
    """A value of a kind, and where the next one begins; None where nothing of it is wanted."""
    if kind in (4, 5, 6):
        number, at = _varint(data, at)
        return (number >> 1) ^ -(number & 1), at
    if kind == 8:
        length, at = _varint(data, at)
        return (data[at : at + length] if wanted else None), _within(data, at + length)
    if kind == 12:
        return _struct(data, at, wanted or _EMPTY)
    if kind in (9, 10):
        return _list(data, at, wanted)
    if kind in (1, 2):  # a truth value of a struct, which takes no byte of its own
        return kind, at
    if kind in (3, 7):
        return None, _within(data, at + (1 if kind == 3 else 8))
    raise IndexError  # a map, which no footer has, or no kind at all


def _struct(data: bytes, at: int, wanted: Mapping[int, Any]) -> tuple[dict[int, Any], int]:
    fields: dict[int, Any] = {}
    last = 0
    while True:
        head = data[at]
        at += 1
        if not head:
            return fields, at
        if head >> 4:
            last += head >> 4
        else:
            number, at = _varint(data, at)
            last = (number >> 1) ^ -(number & 1)
        value, at = _value(data, at, head & 15, wanted.get(last))
        if last in wanted:
            fields[last] = value


def _list(data: bytes, at: int, wanted: Any) -> tuple[list[Any] | None, int]:
    head = data[at]
    at += 1
    count, kind = head >> 4, head & 15
    if count == 15:
        count, at = _varint(data, at)
    if count > MOST_ENTRIES:
        raise IndexError
    inside, made = wanted or (None, None)
    items = []
    for _ in range(count):
        item, at = _value(data, at, 3 if kind in (1, 2) else kind, inside)
        if made is not None:
            items.append(made(item))
    return items if wanted else None, at


def _within(data: bytes, at: int) -> int:
    if at > len(data):
        raise IndexError
    return at
