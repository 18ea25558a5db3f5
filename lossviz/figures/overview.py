"""A whole batch at a glance: one heatmap of at most 256 × 512 cells, each the worst of the timesteps it covers."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.analysis import Analysis
from lossviz.figures._core.axes import row_axis, time_axis
from lossviz.figures._core.cells import CODE, Cells, Window, window_of
from lossviz.figures._core.clipped import beyond, end_inks
from lossviz.figures._core.frame import EMPTY, base, empty, figure
from lossviz.figures._core.geometry import alone
from lossviz.figures._core.legend import as_drawn, colour_axis, legend, legend_rows, mark_entries
from lossviz.figures._core.quantity import LARGEST_DRAWN, Quantity, quantity_named
from lossviz.figures._core.scale import Scale
from lossviz.figures._core.style import theme_named
from lossviz.figures._core.traces import marks

__all__ = ["overview", "window_outline"]

Array = np.ndarray
Spec = dict[str, Any]
MOST_ROWS, MOST_COLUMNS = 256, 512
STRIP = 1 << 17


def overview(
    analysis: Analysis,
    *,
    quantity: str | Quantity = "loss",
    window: tuple[int, int, int, int] | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw a batch of any size: each cell the largest value of the timesteps that count in it, grey where none counts.

    Args:
        analysis: every number of a batch, [B, T].
        quantity: as in `equation`; of a probability, the smallest.
        window: (row0, row1, t0, t1), ends exclusive, outlined: the part that the equation shows.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if an option names what does not exist.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 1024, 2)), targets=np.zeros((2, 1024), int), lengths=[1024, 1])
    >>> drawn = overview(analyze(batch))
    >>> drawn.layout.title.text, drawn.data[1].z.shape
    ('Unpadded loss, nats: each cell covers 1 × 2 timesteps, the largest is shown', (2, 512))
    """
    colours, what, whole = theme_named(theme), quantity_named(quantity), window_of(analysis, None)
    shown = window_of(analysis, window)
    edges = shown.row0, shown.row1, shown.t0, shown.t1
    if 0 in whole.shape:
        return empty(EMPTY, width, colours)
    rows, columns = whole.shape
    covers = -(-rows // MOST_ROWS), -(-columns // MOST_COLUMNS)
    scale = what.scale_of(analysis)
    cells, counting = _worst(analysis, what, covers, scale)
    entries = mark_entries(analysis, what, [cells], scale, colours)
    down, across = cells.z.shape
    place = alone(down, across, width, digits=len(str(rows - 1)), legend_rows=legend_rows(entries, width))
    centres = {
        axis: np.arange(n) * size + (size - 1) / 2 for axis, n, size in zip("yx", (down, across), covers, strict=True)
    }
    where = {**centres, "xgap": 0, "ygap": 0}
    grid = {
        "type": "heatmap",
        "name": what.title,
        "z": cells.z,
        "coloraxis": "coloraxis",
        "meta": {"select": True, "covers": list(covers)},
        "customdata": counting,
        "hovertemplate": f"around sequence %{{y:d}}, timestep %{{x:d}}<br>{what.title} %{{z:.4~g}}"
        "<br>%{customdata}% of its timesteps count<extra></extra>",
        **where,
    }
    under = [spec | where for spec in marks(cells.codes, whole, ("x", "y"), place.cell, colours)]
    signs = beyond(
        cells.clipped, Window(0, down, 0, across), ("x", "y"), place.cell, end_inks(what, colours), corner=False
    )
    over = [
        spec | {axis: spec[axis] * size + (size - 1) / 2 for axis, size in zip("yx", covers, strict=True)}
        for spec in signs
    ]
    frame = base(_title(what, covers), place.width, place.height, colours) | {
        "xaxis": time_axis(whole, place, place.batch, colours) | {"anchor": "y"},
        "yaxis": row_axis(whole, place, place.batch, colours, title=True),
        "coloraxis": colour_axis(analysis, what, place, scale, colours),
        "annotations": legend(as_drawn(entries, [cells.clipped], place.cell), place, colours),
        "shapes": [] if window is None else [window_outline(edges, theme=theme)],
        "meta": {"quantity": what.name, "window": list(edges)},
    }
    return figure([*under, grid, *over], frame)


def window_outline(window: tuple[int, int, int, int], *, theme: str = "light") -> Spec:
    """What outlines a window in an overview, as a shape of Plotly: another window needs no other overview.

    Args:
        window: (row0, row1, t0, t1), ends exclusive.
        theme: "light" or "dark".

    >>> outline = window_outline((0, 32, 64, 128))
    >>> [outline[end] for end in ("x0", "x1", "y0", "y1")]
    [63.5, 127.5, -0.5, 31.5]
    """
    row0, row1, t0, t1 = window
    ends = {"x0": t0 - 0.5, "x1": t1 - 0.5, "y0": row0 - 0.5, "y1": row1 - 0.5}
    return {"type": "rect", "name": "window", "line": {"width": 2, "color": theme_named(theme).highlight}, **ends}


def _worst(analysis: Analysis, quantity: Quantity, covers: tuple[int, int], scale: Scale) -> tuple[Cells, Array]:
    """The worst value of each block among the timesteps that count, its mark, and the percentage that counts."""
    rows, columns = analysis.mask.shape
    # Strips of whole blocks that stay in the processor's cache.
    step = covers[0] * max(1, STRIP // (columns * covers[0]))
    strips = [_strip(analysis, quantity, covers, slice(row, row + step)) for row in range(0, rows, step)]
    worst, codes, counting = (np.concatenate(parts) for parts in zip(*strips, strict=True))
    values = np.where(codes == 0, worst, np.nan)
    z = np.clip(quantity.colour_value(values), -LARGEST_DRAWN, LARGEST_DRAWN).astype(np.float32)
    size = np.outer(*(np.diff(np.r_[0 : n : covers[i], n]) for i, n in enumerate((rows, columns))))
    return Cells(values, z, codes, scale.clipped(z)), np.round(100 * counting / size).astype(np.uint8)


def _strip(analysis: Analysis, quantity: Quantity, covers: tuple[int, int], rows: slice) -> tuple[Array, Array, Array]:
    mask, invalid = analysis.mask[rows], analysis.invalid[rows]
    values = quantity.counted(analysis)[rows].astype(np.float32)
    nothing, combine = (np.inf, np.minimum) if quantity.best == "high" else (-np.inf, np.maximum)
    kinds = [invalid, np.isnan(values), values == np.inf, values == -np.inf]
    np.copyto(values, nothing, where=~mask)
    counting = _blocks(mask.astype(np.uint16), np.add, covers)
    codes = np.where(counting == 0, CODE["pad"], 0).astype(np.uint8)
    if invalid.any() or not np.isfinite(values[mask]).all():
        marked = np.select(kinds, [CODE[name] for name in ("invalid", "nan", "plus_inf", "minus_inf")], 0)
        codes = np.maximum(codes, _blocks(np.where(mask, marked, 0).astype(np.uint8), np.maximum, covers))
    return _blocks(values, combine, covers), codes, counting


def _blocks(array: Array, combine: np.ufunc, covers: tuple[int, int]) -> Array:
    """Combine rectangles of rows × timesteps; the last ones may be smaller."""
    for axis, cover in enumerate(covers):
        whole = np.moveaxis(array, axis, 0)
        parts = [whole[offset::cover] for offset in range(cover)]
        combined = parts[0].copy()
        for part in parts[1:]:
            combine(combined[: len(part)], part, out=combined[: len(part)])
        array = np.moveaxis(combined, 0, axis)
    return array


def _title(quantity: Quantity, covers: tuple[int, int]) -> str:
    name = quantity.left if quantity.name == "loss" else quantity.title
    unit = f", {quantity.unit}" if quantity.unit else ""
    each = "each cell is one timestep"
    if covers != (1, 1):
        worst = "smallest" if quantity.best == "high" else "largest"
        each = f"each cell covers {covers[0]} × {covers[1]} timesteps, the {worst} is shown"
    return f"{name[0].upper()}{name[1:]}{unit}: {each}"
