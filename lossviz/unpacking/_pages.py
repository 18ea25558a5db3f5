"""What the pages of a Parquet file say of themselves, in Thrift's compact encoding; its footer may say anything.

Source: apache/parquet-format, parquet.thrift (PageHeader), and Thrift's specification of the compact protocol.
"""

from typing import IO, Any

from lossviz.errors import FormatError
from lossviz.unpacking._footer import Chunk

__all__ = ["unpacked_size"]

VALUE_BYTES = 8  # at least, for a value in memory
WINDOWS = (8_192, 1 << 20)  # bytes in which a page's header ends; statistics make it long
UNCOMPRESSED, COMPRESSED, KINDS_OF_PAGE = 2, 3, (5, 7, 8)  # ids of PageHeader's fields


def unpacked_size(stream: IO[bytes], chunk: Chunk, name: str) -> int:
    """Count the bytes that a column chunk takes in memory, page by page.

    Raises:
        FormatError: its pages are not where the footer says.
    """
    at, end, total = chunk.start, chunk.start + chunk.packed, 0
    while at < end:
        header, length = _header(stream, at, name)
        sizes = header.get(UNCOMPRESSED, -1), header.get(COMPRESSED, -1)
        if min(sizes) < 0:
            raise _damaged(name)
        about: dict[int, Any] = next((header[kind] for kind in KINDS_OF_PAGE if kind in header), {})
        total += max(sizes[0], VALUE_BYTES * about.get(1, 0))
        at += length + sizes[1]
    return total


def _damaged(name: str) -> FormatError:
    return FormatError(f"`{name}` was cut off or damaged: its pages can't be read. Save or copy it again.")


def _header(stream: IO[bytes], at: int, name: str) -> tuple[dict[int, Any], int]:
    """A page's header and how many bytes it has."""
    for window in WINDOWS:
        stream.seek(at)
        reader = _Compact(stream.read(window))
        try:
            return reader.struct(), reader.at
        except (IndexError, RecursionError):
            continue
    raise _damaged(name)


class _Compact:
    """A reader of one struct: integers and structs by their ids; everything else is skipped."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        number = shift = 0
        while True:
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number
            if shift > 63:
                raise IndexError

    def zigzag(self) -> int:
        number = self.varint()
        return (number >> 1) ^ -(number & 1)

    def struct(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        last = 0
        while head := self.byte():
            last = last + (head >> 4) if head >> 4 else self.zigzag()
            fields[last] = self.value(head & 15)
        return fields

    def value(self, kind: int, *, of_list: bool = False) -> Any:
        if kind in (1, 2):  # a truth value, which takes a byte in a list only
            return self.byte() if of_list else kind
        if kind == 3:
            return self.byte()
        if kind in (4, 5, 6):
            return self.zigzag()
        if kind in (7, 8):
            size = 8 if kind == 7 else self.varint()
            self.at += size
            return None
        if kind in (9, 10):
            return self.items()
        if kind == 12:
            return self.struct()
        raise IndexError  # a map, which no page header has, or no kind at all

    def items(self) -> None:
        head = self.byte()
        for _ in range(self.varint() if head >> 4 == 15 else head >> 4):
            self.value(head & 15, of_list=True)
