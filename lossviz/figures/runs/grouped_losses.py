"""The losses of a run by position, token, length, process or weight, as bars."""

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from lossviz.digits import number
from lossviz.errors import InputError
from lossviz.figures._core.frame import empty, figure
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures._core.text import ellipsis, plotly_text
from lossviz.figures.runs._panel import panel

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["grouped_losses"]

Spec = dict[str, Any]
TITLES = {
    "token": "Share of the loss by token",
    "position": "Mean loss by position",
    "length": "Mean loss by length",
    "rank": "Mean loss by process",
    "weight": "Mean loss by weight",
}
_CLEAR = "rgba(0,0,0,0)"
MOST, ROW, HEIGHT = 12, 19.0, 300.0


def grouped_losses(table: "pd.DataFrame", *, theme: str = "light", width: float = 320) -> go.Figure:
    """Draw a bar for each group: of tokens the share of the whole loss (loss × frequency), of the others the mean.

    Bars can be selected: a token by its place from 0, (place, 0); any other group by its number, (0, number).

    Args:
        table: of `Run.by(…)`.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the table is grouped by none of the names of `Run.by`, or the theme does not exist.

    >>> import pandas
    >>> table = pandas.DataFrame({"position": [0, 1], "count": [2, 1], "mean": [1.5, 0.5], "share": [0.9, 0.1]})
    >>> grouped_losses(table).data[0].y.tolist()
    [1.5, 0.5]
    """
    colours = theme_named(theme)
    name = next((name for name in TITLES if name in table.columns), None)
    if name is None:
        raise InputError(f"`table` must be of `Run.by`; got the columns {', '.join(map(str, table.columns))}.")
    if not len(table):
        return empty("No timestep counts.", width, colours)
    return _tokens(table, width, colours) if name == "token" else _numbers(table, name, width, colours)


def _tokens(table: "pd.DataFrame", width: float, theme: Theme) -> go.Figure:
    top = table.head(MOST)
    names, shares = top["token"].tolist(), top["share"].to_numpy(float)
    cut = f", {MOST} of {len(table):,}" if len(table) > MOST else ""
    frame = panel(TITLES["token"] + cut, (width, HEIGHT), (92, 62, 44, 14), theme)
    frame["title"]["font"] = {"size": 14, "color": theme.text}
    frame["xaxis"] |= {"visible": False, "range": [0, float(np.nanmax(shares)) or 1.0]}
    frame["yaxis"] |= {
        "range": [MOST - 0.5, -0.5],
        "tickvals": list(range(len(names))),
        "ticktext": [ellipsis(token, 80) for token in names],
        "ticks": "",
        "tickfont": {"size": 12, "color": theme.text},
    }
    hover = [
        f"<b>{plotly_text(token)}</b><br>{count:,} times, mean loss {number(mean)}<br>{share:.1%} of the loss"
        for token, count, mean, share in zip(names, top["count"], top["mean"], shares, strict=True)
    ]
    at = np.arange(len(names), dtype=np.int32)
    bars = _bars(shares, at, theme, across=True)
    frame["xaxis2"] = frame["xaxis"] | {"overlaying": "x"}
    frame["xaxis"] = frame["xaxis"] | {"range": [-0.5, 0.5]}  # plotly.js takes clicks for the axes below alone
    cells = _cells(shares[:, None], np.array([0], np.int32), at, [[text] for text in hover])
    words = {"text": [f"{share:.1%}" for share in shares], "xaxis": "x2", **_labels(theme)}
    return figure([bars | words, cells], frame)


def _numbers(table: "pd.DataFrame", name: str, width: float, theme: Theme) -> go.Figure:
    means = table["mean"].to_numpy(float)
    frame = panel(TITLES[name], (width, HEIGHT), (46, 12, 44, 38), theme)
    frame["title"]["font"] = {"size": 14, "color": theme.text}
    frame["xaxis"]["title"] = {"text": name, "font": {"size": 12, "color": theme.muted}, "standoff": 4}
    frame["yaxis"] |= {"rangemode": "tozero", "nticks": 5, "showgrid": True, "gridcolor": theme.pad}
    hover = [
        f"<b>{name} {value:g}</b><br>mean loss {number(mean)}<br>{count:,} timesteps"
        for value, mean, count in zip(table[name], means, table["count"], strict=True)
    ]
    values = table[name].to_numpy()
    bars = _bars(means, values, theme, across=False)
    if not np.issubdtype(values.dtype, np.integer):
        return figure([bars | {"customdata": hover, "hoverinfo": None, "hovertemplate": _HOVER}], frame)
    first, last = int(values.min()), int(values.max())
    heights, words = np.full((1, last - first + 1), np.nan), [""] * (last - first + 1)
    for value, mean, text in zip(values - first, means, hover, strict=True):
        heights[0, value], words[value] = mean, text
    frame["yaxis2"] = frame["yaxis"] | {"overlaying": "y", "side": "left", "tickmode": "auto"}
    frame["yaxis"] = frame["yaxis"] | {"range": [0.5, -0.5], "visible": False}
    frame["xaxis"]["range"] = [first - 0.5, last + 0.5]
    at = np.arange(first, last + 1, dtype=np.int32)
    return figure([bars | {"yaxis": "y2"}, _cells(heights, at, np.array([0], np.int32), [words])], frame)


_HOVER = "%{customdata}<extra></extra>"


def _cells(values: np.ndarray, x: np.ndarray, y: np.ndarray, hover: list[list[str]]) -> Spec:
    """A cell over each bar, as long as the panel and without a colour: what is pointed at, and selected."""
    return {
        "type": "heatmap",
        "name": "loss",
        "z": values,
        "x": x,
        "y": y,
        "colorscale": [[0, _CLEAR], [1, _CLEAR]],
        "showscale": False,
        "text": hover,
        "hovertemplate": "%{text}<extra></extra>",
        "meta": {"select": True},
    }


def _bars(values: np.ndarray, at: np.ndarray, theme: Theme, *, across: bool) -> Spec:
    return {
        "type": "bar",
        "name": "losses",
        "orientation": "h" if across else "v",
        "x": values if across else at,
        "y": at if across else values,
        "hoverinfo": "skip",
        "marker": {"color": theme.bar, "line": {"width": 0}},
        "showlegend": False,
    }


def _labels(theme: Theme) -> Spec:
    return {
        "textposition": "outside",
        "cliponaxis": False,
        "textfont": {"size": 12, "color": theme.text},
    }
