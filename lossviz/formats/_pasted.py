"""Pasted logits: JSON, NumPy's printed form, or lines of numbers; one reader for all brackets, commas optional."""

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from lossviz.arrays import dtype_named
from lossviz.display_text import printable
from lossviz.errors import FormatError
from lossviz.formats._common import LIMITS
from lossviz.formats.json_ import nested

_OPENING = re.compile(r"\s*(?:[\w.]+\.)?(?:array|Array|asarray|tensor|Tensor)\(\s*(?=\[)")
_CLOSING = re.compile(r"\s*(?:,\s*\w+=[^\[\]=]*)*,?\s*\)?\s*")
_DTYPE = re.compile(r"dtype=['\"<]*(?:\w+\.)?(float16|float32|float64|bfloat16)\b")
_PIECE = re.compile(
    r"(?P<space>\s+)|(?P<open>\[)|(?P<close>\])|(?P<comma>,)|(?P<dots>\.\.\.|…)"
    r"|(?P<number>[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?|nan)(?![\w.]))",
    re.IGNORECASE | re.ASCII,
)


def check_length(text: str) -> None:
    """Refuse a text that is too long to be typed.

    Raises:
        FormatError: it has more than `LIMITS.typed_characters`.
    """
    if len(text) > LIMITS.typed_characters:
        raise FormatError(
            f"The text has {len(text):,} characters; at most {LIMITS.typed_characters:,} are read. Open it as a file."
        )


def parse_logits(text: str, shape_hint: tuple[int, ...] | None = None) -> npt.NDArray[Any]:
    r"""Read pasted logits: nested lists as JSON or NumPy print them, or one line of V numbers per timestep.

    Args:
        text: `[[[1, 2], [3, 4]]]`, `[[[1. 2.] [3. 4.]]]`, `array([[[1., 2.]]], dtype=float32)`, or lines of numbers
            separated by commas, semicolons, tabs or spaces: the timesteps of the first sequence, then of the next.
        shape_hint: (B, T) or (B, T, V) of the sequences; None takes lines as timesteps of one sequence.

    Returns:
        The logits [B, T, V]: float64, or the dtype that `dtype=` names.

    Raises:
        FormatError: what was pasted is no number, was shortened with `...`, is ragged, or has another shape.

    >>> parse_logits("1 2\n3 4", (2, 1))
    array([[[1., 2.]],
           [[3., 4.]]])
    """
    check_length(text)
    if not text.strip():
        raise FormatError("No logits were pasted. Paste nested lists [B][T][V], or a line of V numbers per timestep.")
    opening = _OPENING.match(text)
    start = opening.end() if opening else 0
    if text[start:].lstrip().startswith("["):
        value, end = _bracketed(text, start)
        if len(text) - end > 1000 or not _CLOSING.fullmatch(text, end):
            raise _no_number(text, end + len(text[end:]) - len(text[end:].lstrip()))
        named = _DTYPE.search(text, end)
    else:
        value, named = _lines(text), None
    array = _shaped(nested(value, "logits").astype(np.float64), shape_hint)
    with np.errstate(over="ignore"):
        return array.astype(dtype_named(named[1] if named else "float64"))


def _place(text: str, index: int) -> str:
    """A place in a text, counted from 1."""
    return f"Line {text.count(chr(10), 0, index) + 1}, position {index - text.rfind(chr(10), 0, index)}"


def _no_number(text: str, index: int) -> FormatError:
    found = re.match(r"[^\s,;\[\]]+", text[index:])
    word = printable(found[0] if found else text[index], 40)
    return FormatError(
        f"{_place(text, index)}: `{word}` is not a number. Write numbers with a decimal point, or nan, inf, -inf."
    )


def _bracketed(text: str, index: int) -> tuple[list[Any], int]:
    """The nested lists that begin at an index, and the index after them."""
    outer: list[Any] = []
    stack = [outer]
    comma = False
    while len(stack) > 1 or not outer:
        if index == len(text):
            raise FormatError(f"The text ends while {len(stack) - 1} of the brackets are open. Paste it whole.")
        piece = _PIECE.match(text, index)
        kind = piece.lastgroup if piece else None
        if piece is None or kind == "dots" or (kind == "number" and len(stack) == 1):
            raise _shortened(text, index) if kind == "dots" else _no_number(text, index)
        if kind == "comma" and (comma or not stack[-1]):
            raise FormatError(f"{_place(text, index)}: a number is missing before the comma. Write nan where none is.")
        if kind == "open" and len(stack) > 3:
            raise FormatError(f"{_place(text, index)}: a fourth `[` is open; logits have three levels, [B][T][V].")
        comma = kind == "comma" or (comma and kind == "space")
        _take(kind, piece.group(), stack)
        index = piece.end()
    return outer[0], index


def _take(kind: str | None, piece: str, stack: list[list[Any]]) -> None:
    if kind == "number":
        stack[-1].append(float(piece))
    elif kind == "open":
        stack[-1].append([])
        stack.append(stack[-1][-1])
    elif kind == "close":
        stack.pop()


def _shortened(text: str, index: int) -> FormatError:
    return FormatError(
        f"{_place(text, index)}: `...` stands where NumPy left numbers out. Call "
        "`np.set_printoptions(threshold=sys.maxsize)` before you print them."
    )


def _lines(text: str) -> list[list[float]]:
    """Numbers line by line: the delimiter is a comma, a semicolon, a tab or spaces."""
    rows: list[list[float]] = []
    index = 0
    for line in text.split("\n"):
        if line.strip():
            rows.append(_line(text, index, line))
        if rows and len(rows[-1]) != len(rows[0]):
            raise FormatError(
                f"{_place(text, index)}: {len(rows[-1])} numbers, but the first line has {len(rows[0])}. "
                "Give each timestep V numbers."
            )
        index += len(line) + 1
    return rows


def _line(text: str, index: int, line: str) -> list[float]:
    delimiter = ";" if ";" in line else "," if "," in line else None
    cells = re.finditer(r"\S+" if delimiter is None else rf"(?:^|(?<={delimiter}))[^{delimiter}]*", line)
    return [_number(text, index + cell.start(), cell.group()) for cell in cells]


def _number(text: str, index: int, cell: str) -> float:
    word = cell.strip()
    begin = index + len(cell) - len(cell.lstrip())
    if not word:
        raise FormatError(f"{_place(text, index)}: a number is missing. Write nan where there is none.")
    if word in ("...", "…"):
        raise _shortened(text, begin)
    piece = _PIECE.fullmatch(word)
    if piece is None or piece.lastgroup != "number":
        raise _no_number(text, begin)
    return float(word)


def _shaped(array: npt.NDArray[Any], hint: tuple[int, ...] | None) -> npt.NDArray[Any]:
    """Give the logits the axes of the sequences: rank 2 is a list of timesteps."""
    axes = hint[:2] if hint else array.shape[:2] if array.ndim == 3 else (1, int(np.prod(array.shape[:-1])))
    timesteps = int(np.prod(array.shape[:-1]))
    fits = array.shape[:2] == axes if array.ndim == 3 else array.ndim in (1, 2) and timesteps == axes[0] * axes[1]
    if not fits or (hint and len(hint) == 3 and array.shape[-1] != hint[2]):
        expected = "×".join(map(str, hint or ())) or "B×T×V"
        raise FormatError(
            f"The pasted logits have shape {array.shape}; the sequences need {expected}"
            f"{'×V' if hint and len(hint) == 2 else ''}. Paste one list of V numbers for each timestep, padding too."
        )
    return array.reshape(*axes, array.shape[-1])
