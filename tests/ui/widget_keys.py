"""The keys of widgets, as they stand in the code of the pages."""

import ast
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from tests.ui.driver import ROOT


class Key(NamedTuple):
    """A key as far as the code tells it.

    Attributes:
        text: the key, or how it begins; "" where only a run of the code can tell.
        is_whole: whether `text` is the whole key.
    """

    text: str
    is_whole: bool


@cache
def pages() -> dict[Path, ast.Module]:
    """The code of the pages, by file."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted((ROOT / "lossviz" / "ui").rglob("*.py"))}


@cache
def constants(path: Path) -> dict[str, str]:
    """The names that stand for a text in a file, its own and imported ones, such as `NUMBER = "identify_number"`."""
    module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return {name: value for name, value in vars(module).items() if isinstance(value, str)}


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call in the code, with the last part of the name that it calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def key_of(key: ast.expr, path: Path) -> Key:
    """What the code of a file says of a key."""
    is_whole = not isinstance(key, ast.JoinedStr)
    if isinstance(key, ast.JoinedStr):
        key = key.values[0]
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return Key(key.value, is_whole)
    text = constants(path).get(key.id, "") if isinstance(key, ast.Name) else ""
    return Key(text, is_whole=bool(text) and is_whole)
