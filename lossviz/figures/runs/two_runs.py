"""One batch under two models side by side: what each timestep costs the one and the other, on one scale."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from typing import Any

import plotly.graph_objects as go

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.figures._core.axes import row_axis, time_axis
from lossviz.figures._core.cells import window_of
from lossviz.figures._core.drawing import Drawing
from lossviz.figures._core.frame import EMPTY, base, empty, figure
from lossviz.figures._core.geometry import Box, Geometry, alone
from lossviz.figures._core.legend import Entry, as_drawn, colour_axis, legend, legend_rows, mark_entries, note
from lossviz.figures._core.quantity import QUANTITIES
from lossviz.figures._core.style import theme_named
from lossviz.figures.grid import loss_traces

__all__ = ["two_runs"]

Spec = dict[str, Any]
ROW, MOST_ROWS, GAP, RIGHT = 24.0, 16, 44.0, 120.0
AXES = (("x", "y"), ("x2", "y2"))
TITLE, IF_READ = "What each timestep costs, nats", "What each timestep would cost if it were read, nats"


def two_runs(
    analyses: Sequence[Analysis],
    *,
    names: tuple[str, str] = ("right", "bug"),
    classes: int | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw the losses of one batch under two models, padding as padding; a cell is selected in both at once.

    Of a classifier, each timestep is drawn as if it were read, and the one that is read is not marked.

    Args:
        analyses: of the batch under the one model and the other, both [B, T].
        names: of the models.
        classes: V, for recorded losses; with it the scale is the same for every batch of so many classes.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if these are not two analyses of one shape, or the theme does not exist.

    >>> import numpy as np
    >>> from lossviz import Batch, analyze
    >>> analysis = analyze(Batch.from_arrays(losses=np.ones((1, 3)), targets=[[1, 2, 0]], lengths=[2]))
    >>> drawn = two_runs([analysis, analysis], classes=9)
    >>> [trace.name for trace in drawn.data if trace.type == "heatmap" and trace.meta], drawn.layout.coloraxis.cmax
    (['right', 'bug'], 7.19722457733622)
    """
    if len(analyses) != 2 or analyses[0].batch_loss.shape != analyses[1].batch_loss.shape:
        shapes = ", ".join(str(one.batch_loss.shape) for one in analyses)
        raise InputError(f"`analyses` must be two of one shape [B, T]; got {shapes or 'none'}.")
    colours, window = theme_named(theme), window_of(analyses[0], None)
    if 0 in window.shape:
        return empty(EMPTY, width, colours)
    loss = QUANTITIES["loss"]
    quantity = loss if classes is None or analyses[0].is_classifier else loss.anchored(classes)
    drawings = [Drawing(one, quantity, window, None, None, colours, width) for one in analyses]
    shown = [one.first if one.analysis.is_classifier else one.left for one in drawings]
    scale = replace(drawings[0].scale, high=max(one.scale.high for one in drawings))
    entries: dict[str, Entry] = {}
    for one, cells in zip(drawings, shown, strict=True):
        one.scale, one.reads_under = scale, False
        entries |= {entry.name: entry for entry in mark_entries(one.analysis, quantity, [cells], scale, colours)}
    rows, columns = window.shape
    high = ROW * rows if rows <= MOST_ROWS else max(ROW * MOST_ROWS / rows, 4.0) * rows
    place = alone(
        rows, columns, width, digits=len(str(rows - 1)), legend_rows=legend_rows([*entries.values()], width),
        height=high, right=RIGHT,
    )  # fmt: skip
    half = (place.batch.width - GAP) / 2
    boxes = (
        Box(place.batch.left, place.batch.top, half, high),
        Box(place.batch.left + half + GAP, place.batch.top, half, high),
    )
    frame = base(IF_READ if analyses[0].is_classifier else TITLE, place.width, place.height, colours) | _axes(
        drawings[0], place, boxes
    )
    frame["title"]["font"]["size"] = 14
    frame["coloraxis"] = colour_axis(analyses[0], quantity, place, scale, colours)
    frame["annotations"] = [
        *(
            note(place, f"<b>{escape(name)}</b>", box.left, place.batch.top - 28, colours.text, size=14, name="name")
            for name, box in zip(names, boxes, strict=True)
        ),
        *legend(
            as_drawn([*entries.values()], [cells.clipped for cells in shown], (half / columns, high / rows)),
            place,
            colours,
        ),
    ]
    data: list[Spec] = []
    for one, cells, name, box, axes in zip(drawings, shown, names, boxes, AXES, strict=True):
        one.place = replace(place, batch=box, mask=box, left=box, cell=(half / columns, high / rows))
        data += loss_traces(one, cells, axes, name=name)
    return figure(data, frame)


def _axes(drawing: Drawing, place: Geometry, boxes: tuple[Box, Box]) -> Spec:
    """Each heatmap with its own axes, which move together."""
    window, theme = drawing.window, drawing.theme
    one, other = boxes
    return {
        "xaxis": time_axis(window, place, one, theme) | {"anchor": "y"},
        "yaxis": row_axis(window, place, one, theme, title=True),
        "xaxis2": time_axis(window, place, other, theme) | {"anchor": "y2", "matches": "x"},
        "yaxis2": row_axis(window, place, other, theme) | {"anchor": "x2", "matches": "y"},
    }
