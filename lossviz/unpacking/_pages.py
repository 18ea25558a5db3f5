"""What the pages of a Parquet file say of themselves, in Thrift's compact encoding; its footer may say anything.

Source: apache/parquet-format, parquet.thrift (PageHeader), and Thrift's specification of the compact protocol.
"""

from typing import IO, Any

from lossviz.errors import FormatError
from lossviz.unpacking._compact import struct_at
from lossviz.unpacking._footer import Chunk

__all__ = ["unpacked_size"]

VALUE_BYTES = 8  # at least, for a value in memory
WINDOWS = (8_192, 1 << 20)  # bytes in which a page's header ends; statistics make it long
UNCOMPRESSED, COMPRESSED, KINDS_OF_PAGE = 2, 3, (5, 7, 8)  # ids of PageHeader's fields
_HEADER = {UNCOMPRESSED: int, COMPRESSED: int, **{kind: {1: int} for kind in KINDS_OF_PAGE}}


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
        try:
            return struct_at(stream.read(window), 0, _HEADER)
        except (TypeError, AttributeError):  # a size that is no number
            break
        except (IndexError, RecursionError):
            continue
    raise _damaged(name)
