"""A function with blanks: what may stand in each, and what TensorFlow says of a combination."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.lessons._facts import n

__all__ = ["Blank", "Function", "Line", "Outcome", "run"]

Scope = dict[str, Any]
LONGEST = 200  # characters of a refusal
_NODE = re.compile(r"\{\{[^}]*\}\}\s*|\s*\[Op:.*|, node name.*|: float, double.*", re.DOTALL)
_SENTENCE = re.compile(r"\.\s+(?=[A-Z])")


@dataclass(frozen=True)
class Line:
    """A line to pick: its code, what it does, and what to say where it is wrong ("" for the right one)."""

    code: str
    act: Callable[[Any, Scope], Any]
    hint: str = ""


@dataclass(frozen=True)
class Blank:
    """A blank: the name that gets the line's value, and the lines; the right one is the first."""

    name: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Function:
    """A function of the course with blanks.

    Attributes:
        name: of the reduction that it ends in.
        head: its first lines, up to the first blank.
        blanks: in order; `scope`: the tensors that it starts from.
        cells: which of the names is drawn as a heatmap.
    """

    name: str
    head: str
    blanks: tuple[Blank, ...]
    scope: Callable[[Any, Batch], Scope]
    cells: str

    @property
    def right(self) -> tuple[int, ...]:
        """The combination of the right lines."""
        return (0,) * len(self.blanks)

    def code(self, choice: tuple[int | None, ...]) -> str:
        """The function with the chosen lines; a blank that is still open is a row of dots."""
        lines = [self.head]
        for blank, picked in zip(self.blanks, choice, strict=True):
            code = "……" if picked is None else blank.lines[picked].code
            lines.append(f"    return {code}" if blank is self.blanks[-1] else f"    {blank.name} = {code}")
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What a combination gives.

    Attributes:
        value: the number, or None where TensorFlow refuses it.
        refusal: why, in a sentence, or "".
        cells: what is summed, [B, T], or None where it was never computed.
    """

    value: float | None
    refusal: str = ""
    cells: np.ndarray | None = None

    @property
    def text(self) -> str:
        """The number as it is printed, or "refused"."""
        return "refused" if self.value is None else n(self.value)


def run(function: Function, choice: tuple[int, ...], batch: Batch) -> Outcome:
    """Run a combination of lines in TensorFlow on a batch; nothing that a visitor types is executed."""
    from lossviz.engine import load_tensorflow  # the app's first picture needs none

    tf = load_tensorflow()
    scope = function.scope(tf, batch)
    try:
        for blank, picked in zip(function.blanks, choice, strict=True):
            scope[blank.name] = blank.lines[picked].act(tf, scope)
        value = float(scope[function.blanks[-1].name])
    except (tf.errors.OpError, TypeError, ValueError) as error:
        return Outcome(None, _sentence(error), _cells(function, scope))
    return Outcome(value, "", _cells(function, scope))


def _cells(function: Function, scope: Scope) -> np.ndarray | None:
    """What is summed, as a grid of rows and columns; a number a sequence is a column."""
    tensor = scope.get(function.cells)
    if tensor is None:
        return None
    array = np.asarray(tensor, np.float64)
    return array.reshape(len(array), -1) if array.ndim in (1, 2) else None


def _sentence(error: Exception) -> str:
    """The first sentence of what TensorFlow says, without the names of its nodes.

    >>> _sentence(ValueError("{{function_node x}} Bad shape [3,5] [Op:Mul] name: "))
    'Bad shape [3,5]'
    """
    words = " ".join(_NODE.sub("", str(error)).split())
    first = _SENTENCE.split(words)[0].strip(" .") or type(error).__name__
    return first if len(first) <= LONGEST else first[: LONGEST - 1] + "…"
