"""Text from files, paths and printed numbers, made safe to print: it can't steer a terminal or a pipeline's log."""

import re
from typing import Any

from lossviz.errors import first_line

__all__ = ["cause_of", "escaped", "printable", "quoted"]

# GitHub reads `::command::` at the start of a line, GitHub and Azure read `##[` and `##vso[` anywhere in one. Wrapping
# may move any word to the start of a line.
_COMMAND = re.compile(r"(?:(?<=\s)|^):(?=:)|(?<=#)#(?=\[|vso\[)", re.IGNORECASE)


def printable(text: str, most: int = 200) -> str:
    r"""Show control characters as escapes, disarm log commands, and cut what is too long.

    Args:
        text: what came from a file, a path or an argument.
        most: how many characters of it to show.

    >>> printable("a\x1b[31m"), printable("x" * 100, most=5), printable("::stop-commands::")
    ('a\\x1b[31m', 'xxxx…', '\\x3a:stop-commands::')
    """
    return _COMMAND.sub(lambda found: f"\\x{ord(found[0]):02x}", escaped(text, most))


def escaped(text: str, most: int = 200) -> str:
    r"""Show control characters as escapes, and cut what is too long.

    >>> escaped("a\x1b[31m"), escaped("::error::")
    ('a\\x1b[31m', '::error::')
    """
    short = text if len(text) <= most else text[: most - 1] + "…"
    shown = "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in short)
    return shown if len(shown) <= 2 * most else shown[: 2 * most - 1] + "…"


def cause_of(error: BaseException) -> str:
    """An exception in one printable line, for a bug report: its type, and what it says.

    >>> cause_of(IndexError("list index out of range.")), cause_of(RecursionError())
    ('IndexError: list index out of range', 'RecursionError')
    """
    return ": ".join(filter(None, (type(error).__name__, printable(first_line(error)).rstrip("."))))


def quoted(value: Any, most: int = 200) -> str:
    """Show what somebody passed, of any type: its `repr`, or its type where that fails.

    >>> quoted("a"), quoted([1] * 1000, most=8)
    ("'a'", '[1, 1, …')
    """
    try:
        return escaped(repr(value), most)
    except Exception:  # nested too deeply, or somebody's own `__repr__`
        return f"a {type(value).__name__}"
