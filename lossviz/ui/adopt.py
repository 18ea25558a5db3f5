"""Make a convention the reduction of the whole app: the sidebar's selectors take its values."""

from collections.abc import Mapping
from typing import Any

from lossviz.conventions import CONVENTIONS, Convention
from lossviz.ui.choices import OPTIONS
from lossviz.ui.state import write_widget

__all__ = ["adopt", "adoptable"]


def adoptable(code: str) -> Convention | None:
    """The convention of that code, where the app has a reduction that divides likewise."""
    return next((row for row in CONVENTIONS if row.code == code and row.reduction is not None), None)


def adopt(convention: Convention, options: Mapping[str, Any] | None = None) -> None:
    """Choose its reduction, and its mask where it has one of its own; a callback, before the selectors are drawn.

    `options` are what the reduction may need to know; what is None stays as it is.
    """
    write_widget("reduction", convention.reduction)
    if convention.mask is not None:
        write_widget("mask", convention.mask)
    for name in OPTIONS:
        if (options or {}).get(name) is not None:
            write_widget(name, (options or {})[name])
