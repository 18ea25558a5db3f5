"""What an Arrow message unpacks to, by the table in front of its buffers, in Google's flatbuffers.

Source: apache/arrow, format/Message.fbs; https://flatbuffers.dev/internals.
"""

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

__all__ = ["message_bytes"]

DICTIONARY_BATCH, RECORD_BATCH = 2, 3


def message_bytes(message: "pyarrow.Message") -> int:
    """The bytes that the buffers of a message take; each packed one begins with its size."""
    body = message.body
    if body is None or not body.size:
        return 0
    data = memoryview(message.metadata)
    root = _table(data, 0)
    kind = data[_field(data, root, 1)]
    batch = _table(data, _field(data, root, 2))
    if kind == DICTIONARY_BATCH:
        batch = _table(data, _field(data, batch, 1))
    elif kind != RECORD_BATCH:
        return 0
    if not _field(data, batch, 3):  # no compression
        return int(body.size)
    buffers = _table(data, _field(data, batch, 2))
    total = int(body.size)
    for place in range(_number(data, "<I", buffers)):
        offset, length = struct.unpack_from("<qq", data, buffers + 4 + 16 * place)
        if length >= 8:
            total += max(0, _number(memoryview(body), "<q", offset))
    return total


def _number(data: memoryview, kind: str, at: int) -> int:
    return int(struct.unpack_from(kind, data, at)[0])


def _table(data: memoryview, at: int) -> int:
    """Where the table or vector stands that a flatbuffer points to."""
    return at + _number(data, "<I", at)


def _field(data: memoryview, table: int, index: int) -> int:
    """Where a field of a table stands; 0 where it is left out."""
    about = table - _number(data, "<i", table)
    place = 4 + 2 * index
    offset = _number(data, "<H", about + place) if place < _number(data, "<H", about) else 0
    return table + offset if offset else 0
