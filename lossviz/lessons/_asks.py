"""The four kinds of question: a number, a shape, a choice, a cell; and the wrong answers that have a hint of their own.

Every answer, right or wrong, is a function of the `Analysis` on screen: a lesson never holds a number that somebody
worked out elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.lessons._facts import n

__all__ = ["Ask", "Cell", "Choice", "Lines", "Number", "Pick", "Shape", "Text", "Wrong", "label_of", "said", "shown"]

Cell = tuple[int, int]
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


Ask = Number | Shape | Choice | Pick


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
