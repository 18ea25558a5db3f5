"""The kinds of question: a number, a shape, a choice, a cell, blanks to fill; and the wrong answers with their hints.

Every answer, right or wrong, is a function of the `Analysis` on screen: a lesson never holds a number that somebody
worked out elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.lessons._facts import n
from lossviz.lessons.blanks import Function

__all__ = [
    "Ask",
    "Cell",
    "Choice",
    "Fill",
    "Lines",
    "Number",
    "Pick",
    "Shape",
    "Text",
    "Wrong",
    "choice_text",
    "label_of",
    "read_choice",
    "said",
    "shown",
]

Cell = tuple[int, int]
DIGITS = frozenset("0123456789")
Text = str | Callable[[Analysis], str]
Lines = Callable[[Analysis], tuple[str, ...]]


@dataclass(frozen=True)
class Wrong:
    """A wrong answer that people give.

    Attributes:
        value: what the misconception gives: a number, a shape, an option or a cell.
        hint: what was believed, and why it is not so.
    """

    value: Callable[[Analysis], Any]
    hint: str


@dataclass(frozen=True)
class Number:
    """A number to type.

    Attributes:
        label: of the field.
        answer: the right number.
        wrong: typical wrong ones, in the order in which they are compared.
        working: the working line by line; the first line is the stronger hint after the second miss.
        look: the hint where nothing else is known of the number.
        also: another right number, such as what the sample measures beside what theory says.
        is_loss: whether other formulas of the batch may explain a wrong number, so that `identify` is asked.
    """

    label: Text
    answer: Callable[[Analysis], float]
    wrong: tuple[Wrong, ...]
    working: Lines
    look: str
    also: Callable[[Analysis], float] | None = None
    is_loss: bool = True


@dataclass(frozen=True)
class Shape:
    """A shape to type, such as (3, 4); attributes as of `Number`. A wrong one may be a word, "error"."""

    label: Text
    answer: Callable[[Analysis], tuple[int, ...]]
    wrong: tuple[Wrong, ...]
    working: Lines
    look: str


@dataclass(frozen=True)
class Choice:
    """One of several options: the right one and the wrong ones, in an order that only the step decides."""

    label: Text
    answer: Callable[[Analysis], str]
    wrong: tuple[Wrong, ...]
    working: Lines
    look: str = "Read the question again: one word of it decides."


@dataclass(frozen=True)
class Pick:
    """A cell to select; `answer` says which are right, [B, T] bool."""

    label: Text
    answer: Callable[[Analysis], np.ndarray]
    wrong: tuple[Wrong, ...]
    working: Lines
    look: str


@dataclass(frozen=True)
class Fill:
    """A function whose blanks are filled with lines; an answer is the lines' numbers, "0 2 1 0"."""

    label: Text
    function: Function
    working: Lines
    look: str = "Run it, and look at what is left in each cell."

    def answer(self, _: Analysis) -> str:
        """The right lines."""
        return choice_text(self.function.right)

    @property
    def wrong(self) -> tuple[Wrong, ...]:
        """Each wrong line among right ones."""
        return tuple(
            Wrong(partial(_with_line, self.function, at, picked), blank.lines[picked].hint)
            for at, blank in enumerate(self.function.blanks)
            for picked in range(1, len(blank.lines))
        )


Ask = Number | Shape | Choice | Pick | Fill


def choice_text(choice: tuple[int, ...]) -> str:
    """A combination of lines as text."""
    return " ".join(map(str, choice))


def read_choice(function: Function, text: str) -> tuple[int, ...] | None:
    """Read a combination of lines; None for any other text.

    >>> from lossviz.lessons.blanks import FUNCTIONS
    >>> read_choice(FUNCTIONS["encoder_decoder"], "2 1 0"), read_choice(FUNCTIONS["encoder_decoder"], "2 2 0")
    ((2, 1, 0), None)
    """
    words = text.split(" ")
    if len(words) != len(function.blanks) or not all(word in DIGITS for word in words):
        return None
    choice = tuple(map(int, words))
    fits = all(picked < len(blank.lines) for picked, blank in zip(choice, function.blanks, strict=True))
    return choice if fits else None


def _with_line(function: Function, at: int, picked: int, _: Analysis) -> str:
    return choice_text(tuple(picked if place == at else 0 for place in range(len(function.blanks))))


def said(text: Text, analysis: Analysis) -> str:
    """A text, or what it says of this batch."""
    return text if isinstance(text, str) else text(analysis)


def label_of(ask: Ask, analysis: Analysis) -> str:
    """What stands over the field."""
    return said(ask.label, analysis)


def shown(ask: Ask, value: Any) -> str:
    """An answer as it is written on the page.

    >>> shown(Number("", float, (), tuple, ""), 13.8 / 11), shown(Pick("", np.array, (), tuple, ""), (0, 2))
    ('1.2545', '[0, 2]')
    """
    if isinstance(ask, Number):
        return n(value)
    if isinstance(ask, Pick):
        return f"[{value[0]}, {value[1]}]"
    return str(value) if isinstance(value, tuple) else f"{value}"
