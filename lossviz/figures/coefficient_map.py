"""What a formula counts: each timestep's coefficient as colour, and the timesteps that stand in its divisor only."""

from fractions import Fraction
from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.figures._core.axes import row_axis, time_axis
from lossviz.figures._core.cells import Cells, Window, window_of
from lossviz.figures._core.clipped import GLYPHS, beyond
from lossviz.figures._core.frame import EMPTY, base, empty, figure
from lossviz.figures._core.geometry import Geometry, alone
from lossviz.figures._core.legend import Entry, as_drawn, legend, legend_rows
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures._core.text import ellipsis, number, plotly_text, text_width, with_id
from lossviz.figures._core.traces import hatches, heatmap, marks, outline, texts

__all__ = ["coefficient_map"]

Array = np.ndarray
Spec = dict[str, Any]
MOST_ROWS, MOST_TIMESTEPS, MOST_HOVERS, MOST_WORDS = 64, 512, 2000, 24
ROW, TOKEN, BOTH, SIZE, SMALL = 26.0, 40, 70, 12, 10.5
FULL = 0.45  # of the scale, for the largest coefficient: where all are alike, words in them stay readable
AXES = ("x", "y")
OFF, DIVISOR = 1, 2


def coefficient_map(
    analysis: Analysis,
    *,
    coefficients: Array | None = None,
    cells: Array | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw what each loss is multiplied by on its way into a number, and what is counted by the divisor alone.

    The timesteps that count under the analysis's mask are outlined.

    Args:
        analysis: every number of a batch, [B, T]; of a large one the first 64 sequences × 512 timesteps.
        coefficients: [B, T], value = Σ coefficient · loss; by default those of the analysis.
        cells: [B, T] bool, the timesteps that the formula counts, be it in its divisor alone.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if an array has another shape.

    >>> from lossviz import Batch, analyze
    >>> analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 3, 4)), targets=[[1, 2, 0]], lengths=[2]))
    >>> coefficient_map(analysis, coefficients=analysis.mask / 3, cells=np.ones((1, 3), bool)).layout.title.text
    'Loss × 1/3 for 2 of 3 timesteps; 1 more in the divisor'
    """
    colours = theme_named(theme)
    shape = analysis.batch_loss.shape
    factors = _shaped("coefficients", analysis.coefficients if coefficients is None else coefficients, shape)
    inside = _shaped("cells", factors != 0 if cells is None else cells, shape).astype(bool) | (factors != 0)
    if 0 in shape:
        return empty(EMPTY, width, colours)
    return figure(*_parts(analysis, factors, inside, colours, width))


def _parts(analysis: Analysis, factors: Array, inside: Array, theme: Theme, width: float) -> tuple[list[Spec], Spec]:
    window = window_of(analysis, (0, min(len(factors), MOST_ROWS), 0, min(factors.shape[1], MOST_TIMESTEPS)))
    states = np.where(factors != 0, 0, np.where(inside, DIVISOR, OFF)).astype(np.uint8)
    entries = _entries(analysis, factors, states, theme)
    rows, columns = window.shape
    row = ROW if rows <= MOST_WORDS else max(340 / rows, 4.0)
    rows_of_legend = legend_rows(entries, width)
    digits = len(str(window.row1 - 1))
    place = alone(rows, columns, width, digits=digits, legend_rows=rows_of_legend, height=row * rows, right=16)
    frame = base(_title(factors, states, window), place.width, place.height, theme) | {
        "xaxis": time_axis(window, place, place.batch, theme) | {"anchor": "y"},
        "yaxis": row_axis(window, place, place.batch, theme, title=True),
        "annotations": legend(as_drawn(entries, [_below(window.of(factors))], place.cell), place, theme),
    }
    frame["title"]["font"]["size"] = 14
    shown = window.of(states)
    data = [
        *marks(_as_marks(shown), window, AXES, place.cell, theme),
        _grid(analysis, factors, window, place, theme),
        *hatches(_divided_only(shown), window, AXES, theme),
        *_words(analysis, window.of(factors), shown, window, place, theme),
        *beyond(
            _below(window.of(factors)),
            window,
            AXES,
            place.cell,
            (theme.low_ink, theme.low_ink),
            corner=_has_words(window, place),
        ),
        *outline("mask", window.of(analysis.mask), window, AXES, theme.highlight),
    ]
    return data, frame


def _shaped(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    values = np.asarray(array)
    if values.shape != shape:
        raise InputError(f"`{name}` must have shape {shape}, one per timestep; got {values.shape}.")
    return values


def _as_marks(states: Array) -> Array:
    """What adds nothing is grey, in the divisor or not: hatches and a glyph tell them apart."""
    grey: Array = (states != 0).astype(np.uint8)
    return grey


def _divided_only(states: Array) -> Cells:
    nothing = np.zeros(states.shape)
    return Cells(nothing, nothing, (states == DIVISOR).astype(np.uint8), nothing)


def _grid(analysis: Analysis, factors: Array, window: Window, place: Geometry, theme: Theme) -> Spec:
    shown = window.of(factors)
    z = np.where(shown == 0, np.nan, shown).astype(np.float32)
    largest = float(np.abs(factors).max()) or 1.0
    return heatmap(
        z,
        window,
        AXES,
        place.cell,
        name="coefficients",
        zmin=0,
        zmax=largest / FULL,
        colorscale=theme.colorscale,
        **_hover(analysis, shown, window),
    )


def _hover(analysis: Analysis, factors: Array, window: Window) -> Spec:
    where = "<b>sequence %{y}, timestep %{x}</b><br>"
    if factors.size > MOST_HOVERS:
        return {"hovertemplate": where + "loss × %{z:.6~g}<extra></extra>"}
    targets, losses = window.of(analysis.batch.targets), window.of(analysis.batch_loss)
    named = {int(v): with_id(plotly_text(analysis.batch.token(int(v))), int(v)) for v in np.unique(targets)}
    lines = [
        [f"target {named[int(v)]}<br>loss {number(x)} × {_fraction(c)}" for v, x, c in zip(*row, strict=True)]
        for row in zip(targets, losses, factors, strict=True)
    ]
    return {"text": lines, "hovertemplate": where + "%{text}<extra></extra>"}


def _words(
    analysis: Analysis, factors: Array, states: Array, window: Window, place: Geometry, theme: Theme
) -> list[Spec]:
    """Token and coefficient where a cell has room; `÷` in the cells that stand in the divisor only."""
    wide, high = place.cell
    specs = []
    glyphs = np.argwhere(states == DIVISOR)
    if wide >= 10 and high >= 11 and len(glyphs):
        specs.append(_at("divisor", glyphs, ["÷"] * len(glyphs), theme.text, SIZE))
    at = np.argwhere(states == 0)
    if not _has_words(window, place) or not len(at):
        return specs
    return [*specs, _at("words", at, [_word(analysis, factors, b, t, wide) for b, t in at], theme.low_ink, SIZE)]


def _has_words(window: Window, place: Geometry) -> bool:
    """Whether words stand in the cells."""
    return max(window.shape) <= MOST_WORDS and place.cell[0] >= TOKEN


def _below(factors: Array) -> Array:
    """−1 where a loss is subtracted: the scale begins at 0."""
    return -(factors < 0).astype(np.int8)


def _word(analysis: Analysis, factors: Array, b: int, t: int, width: float) -> str:
    factor = _fraction(factors[b, t])
    if width < BOTH:
        return factor if text_width(factor, SIZE) <= width - 4 else ""
    token = analysis.batch.token(int(analysis.batch.targets[b, t]))
    fitted = ellipsis(token, width - text_width(factor, SMALL) - 12, SIZE)
    return f'{fitted} <span style="font-size:{SMALL}px">{factor}</span>'


def _at(name: str, at: Array, text: list[str], ink: str, size: float) -> Spec:
    return texts(name, at[:, 1].astype(np.float32), at[:, 0].astype(np.float32), text, ink, AXES, size)


def _entries(analysis: Analysis, factors: Array, states: Array, theme: Theme) -> list[Entry]:
    entries = []
    if (states == DIVISOR).any():
        entries.append(Entry("divisor", "÷", theme.pad, theme.text, "in the divisor only"))
    if (factors < 0).any():
        entries.append(Entry("clipped", GLYPHS[-1], theme.page, theme.low_ink, "below 0"))
    if (states == OFF).any():
        entries.append(Entry("off", " ", theme.pad, theme.text, "not counted"))
    if analysis.mask.any():
        words = f"outlined: what counts by the mask in use ({analysis.mask_name})"
        entries.append(Entry("mask", "▭", theme.page, theme.highlight, words))
    return entries


def _title(factors: Array, states: Array, window: Window) -> str:
    used = factors[states == 0]
    low, high = (_fraction(used.min()), _fraction(used.max())) if used.size else ("0", "0")
    each = f"Loss × {low}" if low == high else f"Loss × {low} to {high}"
    more = int((states == DIVISOR).sum())
    rest = f"; {more:,} more in the divisor" if more else ""
    part = "" if window.shape == factors.shape else f" (the first {window.shape[0]} × {window.shape[1]} are drawn)"
    return f"{each} for {used.size:,} of {factors.size:,} timesteps{rest}{part}"


def _fraction(value: float) -> str:
    """A coefficient as people write it: 1/15, 0.5, 3.

    >>> _fraction(1 / 15), _fraction(0.5), _fraction(2 / 33), _fraction(3.0), _fraction(0.1234567)
    ('1/15', '1/2', '2/33', '3', '0.1235')
    """
    near = Fraction(float(value)).limit_denominator(100_000)
    small = near.numerator in (0, 1) or near.denominator <= 1000
    return str(near) if small and abs(float(near) - value) <= 1e-9 * abs(value) else f"{value:.4g}"
