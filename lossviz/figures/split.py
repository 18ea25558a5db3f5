"""What each timestep weighs where a batch is cut into parts and the parts' means are averaged."""

from dataclasses import replace
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.analysis import Analysis
from lossviz.digits import number
from lossviz.figures._core.axes import row_axis, time_axis
from lossviz.figures._core.cells import Window, glyph
from lossviz.figures._core.frame import EMPTY, base, empty, figure
from lossviz.figures._core.geometry import Geometry, alone
from lossviz.figures._core.legend import Entry, legend, note
from lossviz.figures._core.parts import boundaries, names_width, part_names
from lossviz.figures._core.style import FLIP, Theme, theme_named
from lossviz.figures._core.text import text_width
from lossviz.figures._core.traces import heatmap, marks, texts
from lossviz.splits import Cut, Split, cut_evenly, simulate_split

__all__ = ["split_weights"]

Array = np.ndarray
Spec = dict[str, Any]
AXES = ("x", "y")
MOST_ROWS, MOST_COLUMNS, MOST_WORDS = 256, 512, 24
ROW, SIZE = 26.0, 12
UNDER, BAR, BAR_HEIGHT, LINE = 26.0, 420.0, 58.0, 34.0
LEAST = np.log2(1.25)  # the ends of the scale are at least × 1.25 and ÷ 1.25
ROUND = (1.02, 1.05, 1.1, 1.25, 1.5, 2, 3, 5, 10, 20, 50, 100, 1000)


def split_weights(
    analysis: Analysis, *, cut: Cut | None = None, theme: str = "light", width: float = 1000
) -> go.Figure:
    """Draw how much more, or less, each timestep weighs under the mean of means than when the sum is divided once.

    Args:
        analysis: every number of a batch, [B, T]; of a large one every n-th sequence and timestep is drawn.
        cut: which sequences, or timesteps, lie in which part; by default two micro-batches.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the cut is not one of this batch.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 2)), targets=np.zeros((2, 3), int), lengths=[3, 1])
    >>> drawn = split_weights(analyze(batch))
    >>> [note.text for note in drawn.layout.annotations if note.name == "part"]
    ['micro-batch 0: 2.0794 ÷ 3 = 0.6931', 'micro-batch 1: 0.6931 ÷ 1 = 0.6931']
    """
    colours = theme_named(theme)
    if not analysis.weights.size:
        return empty(EMPTY, width, colours)
    split = simulate_split(analysis, cut or cut_evenly("micro-batches", len(analysis.weights), 2))
    return figure(*_parts(split, glyph(analysis), colours, width))


def _parts(split: Split, glyph: str, theme: Theme, width: float) -> tuple[list[Spec], Spec]:
    rows, columns = split.weights.shape
    window, steps = Window(0, rows, 0, columns), (-(-rows // MOST_ROWS), -(-columns // MOST_COLUMNS))
    by_rows = split.cut.words.axis == 0
    height = ROW * rows if rows <= MOST_WORDS else min(max(6.0 * rows, 340.0), 620.0)
    right = names_width(split) if by_rows else 16.0
    place = alone(rows, columns, width, digits=len(str(rows - 1)), legend_rows=0, height=height, right=right)
    under = place.batch.bottom + (12 if by_rows else UNDER)
    place = replace(place, height=under + BAR_HEIGHT + LINE)
    ratio = split.ratio_every(*steps)
    at = {"x": window.timesteps[:: steps[1]], "y": window.rows[:: steps[0]]}
    data = [
        *(spec | at for spec in marks(_codes(ratio), window, AXES, place.cell, theme)),
        _grid(ratio, window, place) | at,
        *_words(ratio, glyph, place, theme),
    ]
    frame = base(_title(split, steps), place.width, place.height, theme) | {
        "xaxis": time_axis(window, place, place.batch, theme) | {"anchor": "y", "fixedrange": True},
        "yaxis": row_axis(window, place, place.batch, theme, title=True) | {"fixedrange": True},
        "coloraxis": _colours(ratio, place, under, theme),
        "annotations": [
            *part_names(split, place, theme),
            note(place, _line(split), 14, under + BAR_HEIGHT + LINE / 2 - 4, theme.text, size=16, name="numbers"),
            *_legend(ratio, glyph, place, under, theme),
        ],
        "shapes": boundaries(split, place, theme),
    }
    return data, frame


def _title(split: Split, steps: tuple[int, int]) -> str:
    part, parts = split.cut.words.part, len(split.counts)
    drawn = [
        f"one of {step} {of} is drawn" for step, of in zip(steps, ("sequences", "timesteps"), strict=True) if step > 1
    ]
    every = f" ({', '.join(drawn)})" if drawn else ""
    means = f"mean of {parts} {part} means" if parts > 1 else f"mean of the one {part}"
    return f"What a timestep weighs in the {means}, compared with dividing once{every}"


def _line(split: Split) -> str:
    means, once = number(split.mean_of_means), number(split.divided_once)
    return f"Mean of means <b>{means}</b> nats, divided once <b>{once}</b> nats"


def _codes(ratio: Array) -> Array:
    """1, padding, where a timestep never counts."""
    never: Array = np.isnan(ratio)
    return never.astype(np.uint8)


def _distance(ratio: Array) -> Array:
    """log₂ of the ratio, so that twice and half are equally far from 1; NaN where there is none."""
    with np.errstate(all="ignore"):
        return np.where(ratio > 0, np.log2(np.where(ratio > 0, ratio, 1.0)), np.nan)


def _end(ratio: Array) -> float:
    """The end of the scale on either side."""
    return float(max(np.abs(_distance(ratio)).max(where=ratio > 0, initial=0.0), LEAST))


def _grid(ratio: Array, window: Window, place: Geometry) -> Spec:
    return heatmap(
        _distance(ratio).astype(np.float32),
        window,
        AXES,
        place.cell,
        name="ratio",
        coloraxis="coloraxis",
        customdata=ratio.astype(np.float32),
        hovertemplate="sequence %{y}, timestep %{x}<br>weighs %{customdata:.4~g} × as much as when divided once"
        "<extra></extra>",
    )


def _words(ratio: Array, glyph: str, place: Geometry, theme: Theme) -> list[Spec]:
    """The ratio in each cell where there is room, and the glyph of those that never count."""
    specs = []
    wide, high = place.cell
    far = np.abs(_distance(ratio)) >= FLIP * _end(ratio)
    for name, where, ink in (("near", ~far, theme.low_ink), ("far", far, theme.high_ink)):
        at = np.argwhere(where & ~np.isnan(ratio))
        words = [times(float(ratio[b, t])) for b, t in at]
        if len(at) and max(ratio.shape) <= MOST_WORDS and max(text_width(w, SIZE) for w in words) <= wide - 6:
            specs.append(_at(name, at, words, ink, SIZE))
    off = np.argwhere(np.isnan(ratio))
    if 0 < len(off) <= 500 and text_width(glyph, 10.5) <= wide - 2 and high >= 11:
        specs.append(_at("pad", off, [glyph] * len(off), theme.mark_ink[0], 10.5))
    return specs


def _at(name: str, at: Array, words: list[str], ink: str, size: float) -> Spec:
    return texts(name, at[:, 1].astype(np.float32), at[:, 0].astype(np.float32), words, ink, AXES, size)


def times(ratio: float) -> str:
    """A ratio as it stands in a cell.

    >>> times(1.1), times(11 / 12), times(1.0), times(12.3456)
    ('× 1.10', '× 0.92', '× 1', '× 12.3')
    """
    if abs(ratio - 1) < 1e-9:
        return "× 1"
    return f"× {ratio:.2f}" if 0.1 <= abs(ratio) < 10 else f"× {ratio:.3g}"


def _legend(ratio: Array, glyph: str, place: Geometry, under: float, theme: Theme) -> list[Spec]:
    if not np.isnan(ratio).any():
        return []
    entry = Entry("pad", glyph, theme.pad, theme.mark_ink[0], "does not count")
    beside = place.batch.left + min(BAR, place.batch.width * 0.6) + 48
    notes = legend([entry], replace(place, legend=under + 8), theme)
    return [spec | {"x": spec["x"] + place.x(beside - 14)} for spec in notes]


def _colours(ratio: Array, place: Geometry, under: float, theme: Theme) -> Spec:
    end = _end(ratio)
    ticks = [tick for tick in ROUND if np.log2(tick) <= end * 1.001]
    ticks = [tick for tick in ticks if np.log2(tick) >= 0.3 * end][-2:]
    values = [-np.log2(tick) for tick in reversed(ticks)] + [0.0] + [np.log2(tick) for tick in ticks]
    words = [*(f"× {1 / tick:.2g}" for tick in reversed(ticks)), "the same", *(f"× {tick:g}" for tick in ticks)]
    small = {"size": 11, "color": theme.text}
    bar = {
        "orientation": "h",
        "thickness": 12,
        "thicknessmode": "pixels",
        "len": min(BAR, place.batch.width * 0.6),
        "lenmode": "pixels",
        "x": place.x(place.batch.left),
        "xanchor": "left",
        "xpad": 0,
        "y": place.y(under),
        "yanchor": "top",
        "ypad": 0,
        "outlinewidth": 1,
        "outlinecolor": theme.hatch,
        "tickvals": [float(value) for value in values],
        "ticktext": words,
        "tickfont": small,
        "ticks": "outside",
        "ticklen": 3,
        "tickcolor": theme.muted,
        "title": {"text": "weighs less, or more, than when divided once", "side": "bottom", "font": small},
    }
    return {"cmin": -end, "cmax": end, "colorscale": theme.diverging, "colorbar": bar}
