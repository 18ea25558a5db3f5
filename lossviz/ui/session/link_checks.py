"""Whether a value from an address is one that a control could have; hostile addresses hold anything that JSON can.

A control declares its own: `LINKED` in its module, by the name under which its value is kept; `ui/linked.py` lists
them.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lossviz.reductions import MAX_SAFE_INTEGER, LoopOption

__all__ = [
    "Check",
    "Links",
    "is_count",
    "is_digits",
    "is_flag",
    "is_text",
    "is_whole",
    "of_options",
    "one_of",
    "some_of",
]

Check = Callable[[Any], bool]
Links = Mapping[str, Check]


def one_of(options: Iterable[str]) -> Check:
    """Whether it is one of the options.

    >>> [one_of(("mean", "sum"))(value) for value in ("sum", "max", ["sum"], None)]
    [True, False, False, False]
    """
    known = tuple(options)
    return lambda value: value in known


def some_of(options: Iterable[str]) -> Check:
    """Whether it is a list of some of the options."""
    known = frozenset(options)
    return lambda value: isinstance(value, list) and all(isinstance(one, str) and one in known for one in value)


def is_text(value: Any) -> bool:
    """Whether it is text that a browser can be sent: JSON can hold half of a surrogate pair."""
    return isinstance(value, str) and not any("\ud800" <= mark <= "\udfff" for mark in value)


def is_digits(value: Any) -> bool:
    """Whether it is a whole number written out, as the steps of a run are named."""
    return isinstance(value, str) and value.isdecimal() and len(value) < 20


def is_flag(value: Any) -> bool:
    """Whether it is true or false."""
    return isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number from 0 that a browser holds exactly; true is none."""
    return type(value) is int and 0 <= value <= MAX_SAFE_INTEGER


def is_count(value: Any) -> bool:
    """Whether it is a whole number from 1."""
    return is_whole(value) and value > 0


def of_options(prefix: str, options: Iterable[LoopOption]) -> dict[str, Check]:
    """The checks of fields for options of a training loop, by the names of the fields."""
    return {prefix + option.name: _of_option(option) for option in options}


def _of_option(option: LoopOption) -> Check:
    if option.kind == "per_class":
        return is_text
    return is_count if option.kind == "count" else lambda value: type(value) is float and 0 <= value <= option.most
