"""The parts of a figure as Plotly's plain dicts: heatmaps, marks, texts, bars, outlines."""

from typing import Any

import numpy as np

from lossviz.figures._core.cells import Cells, Window
from lossviz.figures._core.style import MARKS, Theme

__all__ = ["Axes", "bars", "hatch", "hatches", "heatmap", "marks", "outline", "selectable", "texts"]

Array = np.ndarray
Axes = tuple[str, str]
Spec = dict[str, Any]
MOST_BARS, MOST_GAPS = 128, 1000


def selectable(part: str) -> Spec:
    """The `meta` of a heatmap to select in: a part of the equation, "loss", "weight" or "kept"."""
    return {"select": True, "part": part}


def heatmap(z: Array, window: Window, axes: Axes, cell: tuple[float, float], **more: Any) -> Spec:
    """A heatmap over the true row and timestep numbers, with gaps while its cells are large and few.

    plotly.js draws a heatmap without gaps as one image, two to three times faster.
    """
    gap = (0, 0) if z.size > MOST_GAPS else (_gap(cell[0]), _gap(cell[1]))
    return {
        "type": "heatmap",
        "z": z,
        "x": window.timesteps,
        "y": window.rows,
        "xaxis": axes[0],
        "yaxis": axes[1],
        "xgap": gap[0],
        "ygap": gap[1],
        "showscale": False,
        **more,
    }


def marks(codes: Array, window: Window, axes: Axes, cell: tuple[float, float], theme: Theme) -> list[Spec]:
    """A heatmap under the numbers for what no colour of the scale may stand for; nothing where there is none."""
    if not codes.any():
        return []
    colours = ("rgba(0,0,0,0)", *theme.marks)
    steps = np.arange(len(colours) + 1) / len(colours)
    scale = [[float(at), colour] for i, colour in enumerate(colours) for at in steps[i : i + 2]]
    return [
        heatmap(
            codes,
            window,
            axes,
            cell,
            name="marks",
            colorscale=scale,
            zmin=-0.5,
            zmax=len(MARKS) + 0.5,
            hoverinfo="skip",
        )
    ]


def texts(name: str, x: Array, y: Array, text: list[str], ink: Any, axes: Axes, size: float, **more: Any) -> Spec:
    """Words at cells without the empty ones: where one was, plotly.js draws none in the next picture either."""
    there = [at for at, words in enumerate(text) if words]
    return {
        "type": "scatter",
        "mode": "text",
        "name": name,
        "x": x[there],
        "y": y[there],
        "text": [text[at] for at in there],
        "textfont": {"size": size, "color": ink if isinstance(ink, str) else [ink[at] for at in there]},
        "xaxis": axes[0],
        "yaxis": axes[1],
        "hoverinfo": "skip",
        "showlegend": False,
        **more,
    }


def hatches(cells: Cells, window: Window, axes: Axes, theme: Theme) -> list[Spec]:
    """For cells too small for a glyph: lines over what does not count, crosses over the other marks."""
    pad = cells.codes == MARKS[0].code
    return [
        *hatch("hatch", pad, "/", theme.hatch, window, axes),
        *hatch("cross", (cells.codes != 0) & ~pad, "x", theme.mark_ink[1], window, axes),
    ]


def hatch(name: str, where: Array, shape: str, ink: str, window: Window, axes: Axes) -> list[Spec]:
    """A pattern over True cells, as one path with a rectangle for each run in a row."""
    edges = np.diff(np.pad(where.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    if not 0 < len(rows) <= 2000:
        return []
    left, right = starts + window.t0 - 0.5, ends + window.t0 - 0.5
    top, low, gap = rows + window.row0 - 0.5, rows + window.row0 + 0.5, np.full(len(rows), np.nan)
    pattern = {"shape": shape, "size": 5, "solidity": 0.25, "fgcolor": ink, "bgcolor": "rgba(0,0,0,0)"}
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": np.stack([left, right, right, left, left, gap], 1).astype(np.float32).ravel(),
            "y": np.stack([top, top, low, low, top, gap], 1).astype(np.float32).ravel(),
            "line": {"width": 0},
            "fill": "toself",
            "fillpattern": pattern,
            "fillcolor": "rgba(0,0,0,0)",
            "xaxis": axes[0],
            "yaxis": axes[1],
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def outline(name: str, cells: Array, window: Window, axes: Axes, colour: str) -> list[Spec]:
    """A line around each region of True cells; nothing where there is none."""
    if not cells.any():
        return []
    inside = np.pad(cells, 1).astype(np.int8)
    row, column = np.nonzero(np.diff(inside[:, 1:-1], axis=0))
    across = column + window.t0, row + window.row0
    row2, column2 = np.nonzero(np.diff(inside[1:-1], axis=1))
    down = column2 + window.t0, row2 + window.row0
    x = np.concatenate([_segments(across[0] - 0.5, across[0] + 0.5), _segments(down[0] - 0.5, down[0] - 0.5)])
    y = np.concatenate([_segments(across[1] - 0.5, across[1] - 0.5), _segments(down[1] - 0.5, down[1] + 0.5)])
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "name": name,
            "x": x,
            "y": y,
            "line": {"width": 2, "color": colour},
            "xaxis": axes[0],
            "yaxis": axes[1],
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def bars(name: str, at: Array, sums: Array, text: list[str], axes: Axes, theme: Theme, *, across: bool) -> Spec:
    """Bars with their numbers outside, so that they are readable on short ones; a NaN or ∞ is a full bar in its colour.

    More than `MOST_BARS`, all finite, are drawn as one stepped area, which a browser draws at once.
    """
    finite = np.isfinite(sums)
    many = len(at) > MOST_BARS and bool(finite.all())
    full = float(np.abs(sums).max(where=finite, initial=0.0)) or 1.0
    length = np.where(finite, sums, full)
    shared = {
        "name": name,
        "orientation": "h" if across else "v",
        "x": length if across else at,
        "y": at if across else length,
        "text": text,
        "customdata": sums,
        "xaxis": axes[0],
        "yaxis": axes[1],
        "showlegend": False,
    }
    if many:
        return {"type": "scatter", **shared, **_area(theme, across=across), "text": []}
    return {
        "type": "bar",
        "width": 0.72,
        "textposition": "outside",
        "textangle": 0,
        "constraintext": "none",
        "cliponaxis": False,
        "textfont": {"size": 12, "color": theme.text},
        "marker": {"color": theme.bar if finite.all() else _colours(sums, theme), "line": {"width": 0}},
        **shared,
    }


def _colours(sums: Array, theme: Theme) -> list[str]:
    _, nan, plus, minus, *_ = theme.marks
    kinds = [np.isnan(sums), sums == np.inf, sums == -np.inf]
    return [str(colour) for colour in np.select(kinds, [nan, plus, minus], theme.bar)]


def _area(theme: Theme, *, across: bool) -> Spec:
    return {
        "mode": "lines",
        "line": {"width": 0, "shape": "vhv" if across else "hvh", "color": theme.bar},
        "fill": "tozerox" if across else "tozeroy",
        "fillcolor": theme.bar,
    }


def _segments(start: Array, end: Array) -> Array:
    return np.stack([start, end, np.full(len(start), np.nan)], 1).astype(np.float32).ravel()


def _gap(pixels: float) -> int:
    return 2 if pixels >= 20 else int(pixels >= 6)
