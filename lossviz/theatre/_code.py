"""The two programs of a pair of runs as they are shown: the text of the functions that train, read from their files."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import dedent

from lossviz.theatre._settings import RIGHT, Settings, words

__all__ = ["Code", "code"]

_PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True)
class Code:
    """Two programs that differ in one line.

    Attributes:
        right: the lines of the right one.
        wrong: those of the other.
        changed: the number of the line that differs, from 0.
        difference: what differs, in one sentence.
    """

    right: tuple[str, ...]
    wrong: tuple[str, ...]
    changed: int
    difference: str


def code(settings: Settings) -> Code:
    """The two loss functions that a pair of runs is trained with, without their docstrings.

    >>> shown = code(Settings("dates", "stop-is-pad"))
    >>> print(shown.right[shown.changed], shown.wrong[shown.changed], sep=chr(10))
        pad_id = PAD
        pad_id = model.stop_id
    """
    (right, _), (wrong, difference) = (_function(settings.model, words(bug)) for bug in (RIGHT, settings.bug))
    changed = next(place for place, pair in enumerate(zip(right, wrong, strict=True)) if pair[0] != pair[1])
    return Code(right, wrong, changed, difference)


@cache
def _function(model: str, name: str) -> tuple[tuple[str, ...], str]:
    """A function's lines, all called `loss`, and its docstring."""
    text = (_PROGRAMS / f"{model}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    found = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name)
    body = text.splitlines()[found.body[1].lineno - 1 : found.end_lineno]
    arguments = ", ".join(argument.arg for argument in found.args.args)
    return (f"def loss({arguments}):", *body), dedent(ast.get_docstring(found) or "")
