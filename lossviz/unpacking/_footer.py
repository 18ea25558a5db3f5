"""The footer of a Parquet file, as far as sizes go, in Thrift's compact encoding.

pyarrow reads it too, and ends the process (SIGABRT) where it asks about a column whose sizes contradict the schema: its
`RowGroupMetaData.column` lets no C++ exception through. So nothing here asks pyarrow about a column of a file.

Source: apache/parquet-format, parquet.thrift (FileMetaData), and Thrift's specification of the compact protocol.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from lossviz.errors import FormatError
from lossviz.unpacking._compact import struct_at

__all__ = ["Chunk", "Group", "footer_of"]

MAGIC = b"PAR1"
MOST_BYTES = 64 * 2**20


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
        footer, _ = struct_at(stream.read(length), 0, _FOOTER)
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


# What is read of each struct, as `struct_at` takes it.
_STATISTICS: Mapping[int, Any] = {5: bytes, 6: bytes}
_COLUMN = {3: (bytes, bytes), 5: int, 6: int, 7: int, 9: int, 11: int, 12: _STATISTICS}
_GROUP = {1: ({3: _COLUMN}, _chunk), 3: int}
_FOOTER = {4: (_GROUP, _group)}
