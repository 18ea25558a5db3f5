"""Arrays written out as Python lists that read back to the same numbers."""

from typing import Any

import numpy as np

__all__ = ["number", "values"]

Array = np.ndarray
_WIDTH = 100
_ALONE = 60  # its name, the call, the dtype and the axes stand in the same line, and a line has 120


def values(array: Array) -> str:
    """An array as nested lists, one line where it fits, else one line per row.

    >>> values(np.array([[0.5, np.nan], [2.0, -np.inf]], np.float32))
    '[[0.5, nan], [2, -inf]]'
    """
    flat = _nested(array)
    return flat if len(flat) <= _ALONE else _broken(array, 4)


def number(value: Any) -> str:
    """The shortest digits that read back to the value in its own dtype.

    >>> number(np.float32(0.1)), number(np.float64(0.1)), number(np.float64(2.0))
    ('0.1', '0.1', '2')
    """
    plain = value.item()
    if not isinstance(plain, float):
        return str(int(plain))
    return str(int(plain)) if plain.is_integer() and abs(plain) < 1e6 else str(value)


def _nested(array: Array) -> str:
    if array.ndim == 0:
        return number(array[()])
    return "[" + ", ".join(_nested(row) for row in array) + "]"


def _broken(array: Array, indent: int) -> str:
    """One line an entry of the first axis; a row that is too long is broken between its numbers."""
    pad = " " * indent
    if array.ndim == 1:
        return _filled([number(value) for value in array], pad)
    rows = [_row(row, indent + 4) for row in array]
    return "[\n" + "".join(f"{pad}{row},\n" for row in rows) + pad[4:] + "]"


def _row(array: Array, indent: int) -> str:
    flat = _nested(array)
    return flat if len(flat) <= _WIDTH - indent else _broken(array, indent)


def _filled(words: list[str], pad: str) -> str:
    lines = [pad]
    for word in words:
        if len(lines[-1]) + len(word) + 2 > _WIDTH:
            lines[-1] = lines[-1].rstrip()
            lines.append(pad)
        lines[-1] += f"{word}, "
    return "[\n" + "\n".join(lines).rstrip() + "\n" + pad[4:] + "]"
