"""Which timesteps count, from the batch alone: the picture that needs no loss and so no TensorFlow."""

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.batch import Batch
from lossviz.figures._core.axes import row_axis, time_axis
from lossviz.figures._core.cells import Window
from lossviz.figures._core.frame import EMPTY, base, empty, figure
from lossviz.figures._core.geometry import Geometry, place
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures._core.text import ellipsis
from lossviz.figures._core.traces import heatmap, selectable, texts
from lossviz.masking import resolve_mask

__all__ = ["mask"]

Array = np.ndarray
Spec = dict[str, Any]
MOST_ROWS, MOST_TIMESTEPS, TOKEN_WIDTH, SIZE = 24, 64, 40, 12


def mask(batch: Batch, *, name: str | None = None, theme: str = "light", width: float = 1000) -> go.Figure:
    """Draw the targets of a batch and which of them count, where its equation will stand.

    Args:
        batch: the batch; of a large one the first 24 sequences × 64 timesteps.
        name: one of `lossviz.settings.MASKS`, or None for what the batch declares.
        theme: "light" or "dark".
        width: of the figure in pixels.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 4)), targets=[[1, 2, 0]], lengths=[2])
    >>> drawn = mask(batch)
    >>> drawn.data[0].z.tolist(), drawn.layout.title.text
    ([[1, 1, 0]], 'Which timesteps count: 2 of 3')
    """
    colours = theme_named(theme)
    counts = resolve_mask(batch, name).weights != 0
    if not counts.size:
        return empty(EMPTY, width, colours)
    window = Window(0, min(counts.shape[0], MOST_ROWS), 0, min(counts.shape[1], MOST_TIMESTEPS))
    where = place(*window.shape, width, sums=True, digits=len(str(window.row1 - 1)), legend_rows=1)
    where = replace(where, height=where.batch.bottom + 24)  # the axes are parts of this figure, not of the equation
    shown = window.of(counts)
    grid = heatmap(
        shown.astype(np.uint8),
        window,
        ("x", "y"),
        where.cell,
        name="mask",
        zmin=0,
        zmax=1,
        colorscale=[[0, colours.pad], [1, colours.counts]],
        hoverinfo="skip",
        meta=selectable("weight"),
    )
    title = f"Which timesteps count: {int(counts.sum()):,} of {counts.size:,}"
    if shown.shape != counts.shape:
        title += f" (the first {shown.shape[0]} × {shown.shape[1]} are drawn)"
    frame = base(title, width, where.height, colours)
    axes = {
        "xaxis": time_axis(window, where, where.batch, colours) | {"anchor": "y"},
        "yaxis": row_axis(window, where, where.batch, colours, title=True),
    }
    return figure([grid, *_tokens(batch, shown, where, colours)], frame | axes)


def _tokens(batch: Batch, counts: Array, where: Geometry, theme: Theme) -> list[Spec]:
    if where.cell[0] < TOKEN_WIDTH:
        return []
    at = np.argwhere(counts)
    words = [ellipsis(batch.token(int(batch.targets[b, t])), where.cell[0] - 5, SIZE) for b, t in at]
    x, y = at[:, 1].astype(np.float32), at[:, 0].astype(np.float32)
    return [texts("tokens", x, y, words, theme.mark_ink[1], ("x", "y"), SIZE)] if len(at) else []
