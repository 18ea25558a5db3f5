"""Thrift's compact encoding, as far as the footer and the pages of a Parquet file go.

Source: Thrift's specification of the compact protocol.
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["struct_at"]

MOST_ENTRIES = 1_000_000
"""Of a list; pyarrow refuses longer ones, too."""
_EMPTY: Mapping[int, Any] = {}


def struct_at(data: bytes, at: int, wanted: Mapping[int, Any]) -> tuple[dict[int, Any], int]:
    """The fields of a struct by their ids, and where it ends; what is not wanted is skipped.

    Args:
        data: the bytes.
        at: where the struct begins.
        wanted: what is read of each field: `int`, `bytes`, the same of a struct, or, of a list, a pair of what is read
            of each item and what is made of it.

    Raises:
        IndexError: it does not end within the bytes, or holds a map or no kind at all; TypeError or AttributeError: a
            field is of another kind than is wanted.

    >>> struct_at(bytes([0x15, 6, 0x15, 8, 0]), 0, {2: int})
    ({2: 4}, 5)
    """
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
            last, at = _zigzag(data, at)
        value, at = _value(data, at, head & 15, wanted.get(last))
        if last in wanted:
            fields[last] = value


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


def _zigzag(data: bytes, at: int) -> tuple[int, int]:
    number, at = _varint(data, at)
    return (number >> 1) ^ -(number & 1), at


def _value(data: bytes, at: int, kind: int, wanted: Any) -> tuple[Any, int]:
    """A value of a kind, and where the next one begins; None where nothing of it is wanted."""
    if kind in (4, 5, 6):
        return _zigzag(data, at)
    if kind == 8:
        length, at = _varint(data, at)
        return (data[at : at + length] if wanted else None), _within(data, at + length)
    if kind == 12:
        return struct_at(data, at, wanted or _EMPTY)
    if kind in (9, 10):
        return _list(data, at, wanted)
    if kind in (1, 2):  # a truth value of a struct, which takes no byte of its own
        return kind, at
    if kind in (3, 7):
        return None, _within(data, at + (1 if kind == 3 else 8))
    raise IndexError  # a map, which neither a footer nor a page has, or no kind at all


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
