"""Every convention's number as a bar, grouped by what it divides by, beside the number of the app."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from lossviz.conventions import DIVISORS, UNITS
from lossviz.conventions.folded import fold_conventions
from lossviz.digits import number
from lossviz.errors import InputError, not_one_of
from lossviz.figures._core.frame import base, empty, figure
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures._core.text import text_width
from lossviz.figures._core.traces import texts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["conventions"]

Array = np.ndarray
Spec = dict[str, Any]
TITLE, ROW, FOOT, SIZE = 62.0, 21.0, 34.0, 12
NAMES, NUMBERS, EDGE = 310.0, 100.0, 14.0
LONGEST = 3.0  # times the middle number: a longer bar is cut, or a sum would hide what the means differ by
NOTHING = "No convention has a number here: the losses are NaN, or an option that it needs was not said."


def conventions(
    table: "pd.DataFrame",
    *,
    unit: str = "nats",
    selected: float | None = None,
    chosen: str | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw a bar for each number that libraries print of one batch, those that print the same as one.

    Args:
        table: of `lossviz.compare_conventions`, or some of its rows.
        unit: "nats", "bits" or "perplexity": only numbers of one unit stand on one axis.
        selected: the number of the app in that unit, marked by a line.
        chosen: the code of the convention that is looked at, in its own colour.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the unit or the theme does not exist.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.conventions import compare_conventions
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 2)), targets=[[1, 0], [1, 0]], lengths=[2, 1])
    >>> drawn = conventions(compare_conventions(analyze(batch)), unit="perplexity")
    >>> drawn.layout.title.text, drawn.data[0].text
    ('What each library would print: 3 numbers, perplexity', ('2.0000', '1.6818', '2.0000'))
    """
    if unit not in UNITS:
        raise InputError(not_one_of("unit", unit, UNITS))
    colours = theme_named(theme)
    folded = fold_conventions(table[(table.unit == unit) & table.value.notna()])
    if folded.empty:
        return empty(NOTHING, width, colours)
    lines = _lines(folded)
    end = _end(folded.value.to_numpy())
    height = TITLE + ROW * len(lines) + FOOT
    place = _Place(max(width, 480.0), height, len(lines), (min(0.0, folded.value.min()), end))
    data = [_bars(folded, lines, end, chosen, unit, colours), _breaks(folded, lines, end, colours)]
    return figure(data, _layout(folded, lines, place, unit, selected, colours))


class _Place(NamedTuple):
    """The size of the figure, how many lines it has, and the ends of its axis."""

    width: float
    height: float
    lines: int
    ends: tuple[float, float]


def _lines(folded: "pd.DataFrame") -> list[int | str]:
    """The lines from top to bottom: a group of `DIVISORS`, or the number of a row."""
    lines: list[int | str] = []
    for group, rows in folded.groupby("group", sort=False):
        lines += [str(group), *rows.index.tolist()]
    return lines


def _end(values: Array) -> float:
    """Where the axis ends: at the largest number, but at three times the middle one where that is less."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 1.0
    return float(min(finite.max(), LONGEST * np.median(np.abs(finite)))) or 1.0


def _bars(
    folded: "pd.DataFrame", lines: list[int | str], end: float, chosen: str | None, unit: str, theme: Theme
) -> Spec:
    values = folded.value.to_numpy()
    places = [lines.index(row) for row in folded.index]
    mine = [chosen in codes for codes in folded.codes]
    return {
        "type": "bar",
        "orientation": "h",
        "name": "numbers",
        "x": np.minimum(values, end),
        "y": np.array(places, np.int32),
        "width": 0.72,
        "text": [number(value) for value in values],
        "textposition": "none",
        "customdata": [_hover(row, unit) for row in folded.itertuples(index=False)],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"color": [theme.target if own else theme.bar for own in mine], "line": {"width": 0}},
        "showlegend": False,
    }


def _breaks(folded: "pd.DataFrame", lines: list[int | str], end: float, theme: Theme) -> Spec:
    """A sign near the end of each bar that is longer than the axis."""
    cut = folded.index[folded.value > end]
    places = np.array([lines.index(row) for row in cut], np.float32)
    return texts("cut", np.full(len(cut), 0.96 * end), places, ["//"] * len(cut), theme.page, ("x", "y"), 14)


def _hover(row: Any, unit: str) -> str:
    lines = [
        f"<b>{row.name}</b>",
        f"{number(row.numerator)} ÷ {row.divisor:,.6g} {row.divisor_counts}",
        f"= {number(row.value)} {unit}" + _difference(row.difference),
        ", ".join(row.codes[:9]) + (" …" if row.codes[9:] else ""),
    ]
    return "<br>".join(lines)


def _difference(difference: float) -> str:
    if np.isnan(difference):
        return ""
    if abs(difference) < 5e-13:
        return ", the number of the app"
    return f", {number(abs(difference))} {'more' if difference > 0 else 'less'} than the number of the app"


def _layout(
    folded: "pd.DataFrame",
    lines: list[int | str],
    place: _Place,
    unit: str,
    selected: float | None,
    theme: Theme,
) -> Spec:
    count = len(folded)
    title = f"What each library would print: {count} {'number' if count == 1 else 'numbers'}, {unit}"
    names = {at: _name(folded.loc[line]) for at, line in enumerate(lines) if isinstance(line, int)}
    values = [
        _text("value", number(folded.value[line]), (place.width - EDGE, at), place, theme.text, anchor="right")
        for at, line in enumerate(lines)
        if isinstance(line, int)
    ]
    headings = [
        _text("group", f"<b>{DIVISORS[line]}</b>", (EDGE, at), place, theme.muted)
        for at, line in enumerate(lines)
        if isinstance(line, str)
    ]
    marked = [] if selected is None or not np.isfinite(selected) else [selected]
    cut = [_foot(place, theme)] if (folded.value > place.ends[1]).any() else []
    return base(title, place.width, place.height, theme) | {
        "xaxis": {
            "domain": [NAMES / place.width, 1 - NUMBERS / place.width],
            "range": list(place.ends),
            "visible": False,
            "fixedrange": True,
        },
        "yaxis": {
            "domain": [FOOT / place.height, 1 - TITLE / place.height],
            "range": [place.lines - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
            "tickvals": list(names),
            "ticktext": list(names.values()),
            "tickfont": {"size": SIZE, "color": theme.text},
        },
        "annotations": [*headings, *values, *cut, *(_selected(value, place, theme) for value in marked)],
        "shapes": [_line(value, place, theme) for value in marked],
    }


def _name(row: Any) -> str:
    more = len(row.codes) - 1
    alike = f" +{more}" if more else ""
    return _cut(row["name"], NAMES - EDGE - text_width(alike, SIZE) - 8) + alike + " "


def _cut(words: str, width: float) -> str:
    """Words that are at most so many pixels wide."""
    if text_width(words, SIZE) <= width:
        return words
    while text_width(words + "…", SIZE) > width:
        words = words[:-1]
    return words.rstrip() + "…"


def _text(name: str, words: str, at: tuple[float, float], place: _Place, colour: str, *, anchor: str = "left") -> Spec:
    """Words on a line, at a pixel from the left."""
    return {
        "name": name,
        "text": words,
        "x": at[0] / place.width,
        "y": at[1],
        "xref": "paper",
        "yref": "y",
        "xanchor": anchor,
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": SIZE, "color": colour},
    }


def _selected(value: float, place: _Place, theme: Theme) -> Spec:
    """Above the line of the app's number; at the end of the axis where it lies beyond."""
    beyond = value > place.ends[1]
    return {
        "name": "selected",
        "text": f"the app: {number(value)}{' ▸' if beyond else ''}",
        "x": min(value, place.ends[1]),
        "y": 1 - (TITLE - 12) / place.height,
        "xref": "x",
        "yref": "paper",
        "xanchor": "center",
        "yanchor": "middle",
        "showarrow": False,
        "font": {"size": SIZE, "color": theme.highlight},
    }


def _line(value: float, place: _Place, theme: Theme) -> Spec:
    at = min(value, place.ends[1])
    line = {"width": 2, "color": theme.highlight, "dash": "dot"}
    ends = {"x0": at, "x1": at, "y0": FOOT / place.height, "y1": 1 - (TITLE - 4) / place.height}
    return {"type": "line", "name": "selected", "xref": "x", "yref": "paper", "line": line, "layer": "above", **ends}


def _foot(place: _Place, theme: Theme) -> Spec:
    words = _text("note", "// longer than the axis", (NAMES, 0.5 * FOOT / place.height), place, theme.muted)
    return words | {"yref": "paper"}
