"""One heatmap of the equation by itself: the targets, the losses before the mask, or what is left of them."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.analysis import Analysis
from lossviz.errors import InputError, not_one_of
from lossviz.figures._core.axes import row_axis, time_axis
from lossviz.figures._core.cell_text import cell_words
from lossviz.figures._core.cells import Cells, window_of
from lossviz.figures._core.drawing import Drawing
from lossviz.figures._core.frame import EMPTY, base, empty, figure
from lossviz.figures._core.geometry import alone
from lossviz.figures._core.legend import as_drawn, colour_axis, legend, legend_rows, mark_entries
from lossviz.figures._core.quantity import QUANTITIES
from lossviz.figures._core.style import theme_named
from lossviz.figures._core.text import ellipsis, plotly_text
from lossviz.figures._core.traces import Axes, hatches, heatmap, marks, outline, selectable, texts

__all__ = ["PARTS", "grid", "loss_traces"]

Array = np.ndarray
Spec = dict[str, Any]
PARTS = {"targets": "Targets", "losses": "Batch loss, nats", "unpadded": "Unpadded loss, nats"}
ROW, MOST_ROWS, TOKEN, SIZE = 30.0, 16, 26, 12
AXES = ("x", "y")


def grid(
    analysis: Analysis,
    *,
    part: str = "losses",
    cell: tuple[int, int] | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw one heatmap of the equation, without the others, the sums and the divisor.

    The hover text says no more than the cell, so that the figure can stand beside a question about the rest.

    Args:
        analysis: every number of a batch, [B, T].
        part: one of `PARTS`: the targets alone, the losses before the mask, or what is left of them.
        cell: (b, t), outlined.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if there is no such part.

    >>> from lossviz import Batch, analyze
    >>> analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 3, 4)), targets=[[1, 2, 0]], lengths=[2]))
    >>> drawn = grid(analysis, part="unpadded")
    >>> drawn.layout.title.text, drawn.data[-2].type
    ('Unpadded loss, nats', 'scatter')
    """
    if part not in PARTS:
        raise InputError(not_one_of("part", part, tuple(PARTS)))
    colours, window = theme_named(theme), window_of(analysis, None)
    if 0 in window.shape:
        return empty(EMPTY, width, colours)
    drawing = Drawing(analysis, QUANTITIES["loss"], window, None, None, colours, width)
    rows, columns = window.shape
    high = ROW * rows if rows <= MOST_ROWS else max(ROW * MOST_ROWS / rows, 4.0) * rows
    right = 16.0 if part == "targets" else 120.0
    digits = len(str(rows - 1))
    cells = drawing.left if part == "unpadded" else drawing.first
    entries = [
        entry
        for entry in mark_entries(analysis, drawing.quantity, [cells], drawing.scale, colours)
        if entry.name == "clipped" and part != "targets"
    ]
    lines = legend_rows(entries, width)
    drawing.place = alone(rows, columns, width, digits=digits, legend_rows=lines, height=high, right=right)
    drawing.reads_under = False
    frame = base(PARTS[part], drawing.place.width, drawing.place.height, colours) | {
        "xaxis": time_axis(window, drawing.place, drawing.place.batch, colours) | {"anchor": "y"},
        "yaxis": row_axis(window, drawing.place, drawing.place.batch, colours, title=True),
    }
    frame["title"]["font"]["size"] = 14
    if part == "targets":
        return figure([*_targets(drawing), *_outlined(drawing, cell)], frame)
    frame["coloraxis"] = colour_axis(analysis, drawing.quantity, drawing.place, drawing.scale, colours)
    frame["annotations"] = legend(as_drawn(entries, [cells.clipped], drawing.place.cell), drawing.place, colours)
    return figure([*loss_traces(drawing, cells), *_outlined(drawing, cell)], frame)


def loss_traces(drawing: Drawing, cells: Cells, axes: Axes = AXES, name: str = "losses") -> list[Spec]:
    """A heatmap of losses with its marks and words, which says no more under the pointer than in its cells."""
    size, window, theme = drawing.place.cell, drawing.window, drawing.theme
    hover = "sequence %{y}, timestep %{x}<br>loss %{z:.4~f}<extra></extra>"
    meta = selectable("loss" if cells is drawing.first else "kept")
    shades = heatmap(cells.z, window, axes, size, coloraxis="coloraxis", meta=meta, name=name, hovertemplate=hover)
    return [
        *marks(cells.codes, window, axes, size, theme),
        *(hatches(cells, window, axes, theme) if size[0] < 22 else []),
        shades,
        *cell_words(drawing, cells, axes),
    ]


def _targets(drawing: Drawing) -> list[Spec]:
    """Every target's token in a cell of the page's colour; of a classifier, the words that it reads."""
    batch, window, theme = drawing.analysis.batch, drawing.window, drawing.theme
    reads = drawing.analysis.is_classifier and batch.inputs is not None
    ids, word = (batch.inputs, batch.input_token) if reads else (batch.targets, batch.token)
    shown: Array = np.asarray(ids)
    named = {v: plotly_text(word(v)) for v in np.unique(shown).tolist()}
    lines = [[named[v] for v in row] for row in shown.tolist()]
    shades = heatmap(
        np.zeros(window.shape, np.uint8),
        window,
        AXES,
        drawing.place.cell,
        name="targets",
        zmin=0,
        zmax=1,
        colorscale=[[0, theme.scale[1]], [1, theme.scale[1]]],
        meta={"select": True},
        text=lines,
        hovertemplate="sequence %{y}, timestep %{x}<br>%{text}<extra></extra>",
    )
    if drawing.place.cell[0] < TOKEN:
        return [shades]
    y, x = np.indices(window.shape).astype(np.float32)
    flat = [ellipsis(word(int(v)), drawing.place.cell[0] - 5, SIZE) for v in shown.ravel()]
    return [shades, texts("tokens", x.ravel(), y.ravel(), flat, theme.low_ink, AXES, SIZE)]


def _outlined(drawing: Drawing, cell: tuple[int, int] | None) -> list[Spec]:
    if cell is None:
        return []
    where = np.zeros(drawing.window.shape, bool)
    where[cell] = True
    return outline("cell", where, drawing.window, AXES, drawing.theme.highlight)
