"""The axes of time and of sequences, with their true numbers."""

from typing import Any

from lossviz.figures._core.cells import Window
from lossviz.figures._core.geometry import Box, Geometry
from lossviz.figures._core.style import Theme

__all__ = ["row_axis", "time_axis"]

Spec = dict[str, Any]


def _axis(theme: Theme) -> Spec:
    return {
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        "automargin": False,
        "tickfont": {"size": 12, "color": theme.text},
        "tickformat": "d",
    }


def time_axis(window: Window, place: Geometry, box: Box, theme: Theme) -> Spec:
    """The timesteps over a box, numbered on top."""
    return _axis(theme) | {
        "domain": place.domain_x(box),
        "range": [window.t0 - 0.5, window.t1 - 0.5],
        "side": "top",
        "title": {"text": "timestep", "standoff": 4, "font": {"size": 12, "color": theme.muted}},
        **_numbers(window.t0, window.t1, box.width, 12 + 8 * len(str(window.t1))),
    }


def row_axis(
    window: Window, place: Geometry, box: Box, theme: Theme, *, title: bool = False, numbered: bool = True
) -> Spec:
    """The sequences beside a box, row 0 on top."""
    named = {"title": {"text": "sequence", "standoff": 4, "font": {"size": 12, "color": theme.muted}}} if title else {}
    return _axis(theme) | {
        "domain": place.domain_y(box),
        "range": [window.row1 - 0.5, window.row0 - 0.5],
        "showticklabels": numbered,
        "ticklabelstandoff": 4,
        **named,
        **_numbers(window.row0, window.row1, box.height, 18),
    }


def _numbers(first: int, end: int, pixels: float, apart: float) -> Spec:
    """Every number while they fit, else Plotly's own choice, which follows the zoom."""
    if (end - first) * apart <= pixels:
        return {"tickmode": "linear", "tick0": 0, "dtick": 1}
    return {"tickmode": "auto", "nticks": max(2, int(pixels / apart / 1.6))}
