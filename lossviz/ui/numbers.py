"""Numbers as a person types or pastes them."""

import re

__all__ = ["is_number", "numbers_in"]

_APART = re.compile(r"[,;\s]+")
_COMMA = re.compile(r"\s*[-+]?\d+,\d+\s*")


def numbers_in(text: str) -> tuple[str, ...]:
    """The numbers of a text, as they were printed; one word, which is no number, where a comma stands for the point.

    >>> numbers_in("[1.36, 0.60,  2.30]"), numbers_in(" "), numbers_in("1,2545")
    (('1.36', '0.60', '2.30'), (), ('1,2545',))
    """
    text = text.replace("−", "-")
    if _COMMA.fullmatch(text):
        return (text.strip(),)
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
