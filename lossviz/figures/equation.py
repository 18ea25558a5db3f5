"""Batch loss × mask = unpadded loss, written like a sum at school: three heatmaps, bars, and the divisor."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.figures._core.cell_text import cell_words, mask_words
from lossviz.figures._core.cells import Cells, window_of
from lossviz.figures._core.drawing import Drawing
from lossviz.figures._core.frame import empty, figure, layout
from lossviz.figures._core.hover import plain_hover
from lossviz.figures._core.quantity import Quantity, quantity_named
from lossviz.figures._core.style import theme_named
from lossviz.figures._core.traces import Axes, hatches, heatmap, marks, outline, selectable

__all__ = ["equation"]

Array = np.ndarray
Spec = dict[str, Any]


def equation(
    analysis: Analysis,
    *,
    quantity: str | Quantity = "loss",
    window: tuple[int, int, int, int] | None = None,
    cell: tuple[int, int] | None = None,
    highlight: Array | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw batch loss × mask = unpadded loss, the sums per sequence and timestep, and what they are divided by.

    In a notebook the figure shows itself: `lossviz.equation(analysis)` as the last line of a cell.

    Args:
        analysis: every number of a batch, [B, T].
        quantity: "loss", "probability", "entropy", "rank", "gradient_norm" or "share", or one of
            `QUANTITIES` with its scale locked: `QUANTITIES["loss"].locked(0, 5)`.
        window: (row0, row1, t0, t1), the part to show, ends exclusive; the sums stay those of the whole batch.
        cell: (b, t), outlined in all three heatmaps.
        highlight: [B, T] bool, the cells of a finding, outlined in all three.
        theme: "light" or "dark".
        width: of the figure in pixels; it decides whether tokens fit.

    Raises:
        InputError: if an option names what does not exist.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 3], [1, 0, 0]], lengths=[3, 1])
    >>> drawn = equation(analyze(batch))
    >>> drawn.layout.title.text, [n.text for n in drawn.layout.annotations if n.name == "divisor"]
    ('Batch loss × mask = unpadded loss, nats', ['5.5452 ÷ <b>4</b> timesteps that count = <b>1.3863</b> nats'])
    """
    colours, what = theme_named(theme), quantity_named(quantity)
    part = window_of(analysis, window)
    if 0 in part.shape:
        return empty("There is no timestep to draw. Type a sequence, open a file or choose a sample.", width, colours)
    drawing = Drawing(analysis, what, part, _cell(analysis, cell), _highlight(analysis, highlight), colours, width)
    return figure(_traces(drawing), layout(drawing))


def _traces(drawing: Drawing) -> list[Spec]:
    first, mask, left = drawing.axes
    specs = [
        *_values(drawing, drawing.first, first, drawing.names[0], "loss"),
        *_mask(drawing, mask),
        *_values(drawing, drawing.left, left, drawing.names[2], "kept"),
        *drawing.bars,
    ]
    if drawing.highlight is not None:
        for axes in drawing.axes:
            lines = outline("highlight", drawing.highlight, drawing.window, axes, drawing.theme.highlight)
            specs += [line | {"meta": {"reads": drawing.reads}} for line in lines]
    return specs


def _values(drawing: Drawing, cells: Cells, axes: Axes, name: str, part: str) -> list[Spec]:
    size, window, theme = drawing.place.cell, drawing.window, drawing.theme
    under_pointer = drawing.hover or plain_hover(drawing.quantity, name)
    grid = heatmap(
        cells.z, window, axes, size, name=name, coloraxis="coloraxis", meta=selectable(part), **under_pointer
    )
    small = size[0] < 22 or size[1] < 11
    return [
        *marks(cells.codes, window, axes, size, theme),
        *(hatches(cells, window, axes, theme) if small else []),
        grid,
        *cell_words(drawing, cells, axes),
    ]


def _mask(drawing: Drawing, axes: Axes) -> list[Spec]:
    window, box, theme = drawing.window, drawing.place.mask, drawing.theme
    size = box.width / window.shape[1], box.height / window.shape[0]
    weights = np.asarray(window.of(drawing.analysis.weights), np.float32)
    shown = {} if np.array_equal(drawing.weights, weights) else {"customdata": weights}
    weight = "%{customdata:.6~g}" if shown else "%{z:.6~g}"
    shades = heatmap(
        drawing.weights,
        window,
        axes,
        size,
        name=drawing.names[1],
        meta=selectable("weight"),
        zmin=0,
        zmax=1,
        colorscale=[[0, theme.pad], [1, theme.counts]],
        hovertemplate=f"sequence %{{y}}, timestep %{{x}}<br>weight {weight}<extra></extra>",
        **shown,
    )
    return [*marks(drawing.odd, window, axes, size, theme), shades, *mask_words(drawing, axes, size)]


def _cell(analysis: Analysis, cell: tuple[int, int] | None) -> tuple[int, int] | None:
    if cell is None:
        return None
    rows, timesteps = analysis.batch_loss.shape
    b, t = int(cell[0]), int(cell[1])
    if not (0 <= b < rows and 0 <= t < timesteps):
        raise InputError(f"`cell` must lie in {rows} sequences × {timesteps} timesteps; got ({b}, {t}).")
    return b, t


def _highlight(analysis: Analysis, highlight: Array | None) -> Array | None:
    if highlight is None:
        return None
    cells = np.asarray(highlight)
    if cells.shape != analysis.batch_loss.shape or cells.dtype != bool:
        raise InputError(
            f"`highlight` must be bool of shape {analysis.batch_loss.shape}, one per timestep; "
            f"got {cells.dtype} of shape {cells.shape}."
        )
    return cells
