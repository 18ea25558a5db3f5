"""Numbers as a person types or pastes them."""

import re

__all__ = ["is_number", "numbers_in"]

_APART = re.compile(r"[,;\s]+")


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of a text, as they were printed.

    >>> numbers_in("[1.36, 0.60,  2.30]"), numbers_in(" ")
    (('1.36', '0.60', '2.30'), ())
    """
    return tuple(number for word in _APART.split(text) if (number := word.strip("()[]")))


def is_number(word: str) -> bool:
    """Whether a word is a number.

    >>> is_number("1e-3"), is_number("1.2 nats")
    (True, False)
    """
    try:
        float(word)
    except ValueError:
        return False
    return True
