"""Make a convention the reduction of the whole app: the sidebar's selectors take its values."""

from collections.abc import Mapping
from typing import Any

from lossviz.conventions import CONVENTIONS, Convention
from lossviz.reductions import reduction_named
from lossviz.ui.session.state import read_widget, write_widget
from lossviz.ui.shared.loop_options import SETTINGS_OPTIONS

__all__ = ["IN_USE", "adoptable", "apply_convention", "is_applied"]

IN_USE = ":material/check: The app uses this reduction."


def adoptable(code: str) -> Convention | None:
    """The convention of that code, where the app has a reduction that divides likewise."""
    return next((row for row in CONVENTIONS if row.code == code and row.reduction is not None), None)


def apply_convention(convention: Convention, options: Mapping[str, Any] | None = None) -> None:
    """Choose its reduction, and its mask where it has one of its own; a callback, before the selectors are drawn.

    From `options` it takes what the reduction may need; what is None there stays unchanged.
    """
    for key, value in _choices(convention, options):
        write_widget(key, value)


def is_applied(convention: Convention, options: Mapping[str, Any] | None = None) -> bool:
    """Whether the selectors have these values already."""
    return all(read_widget(key) == value for key, value in _choices(convention, options))


def _choices(convention: Convention, options: Mapping[str, Any] | None) -> list[tuple[str, Any]]:
    reduction, given = reduction_named(convention.reduction or "mean"), options or {}
    takes = (*reduction.needs, *reduction.may_take)
    choices = [("reduction", reduction.name), ("mask", convention.mask)]
    choices += [(option.name, given.get(option.name)) for option in SETTINGS_OPTIONS if option.name in takes]
    return [(key, value) for key, value in choices if value is not None]
