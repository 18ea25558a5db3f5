"""Loss in a against loss in b, a point a timestep; below the line b is better."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.digits import number
from lossviz.figures._core.frame import empty, figure
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures._core.text import plotly_text
from lossviz.figures.runs._panel import panel
from lossviz.runs import Comparison

__all__ = ["loss_scatter"]

Spec = dict[str, Any]
HEIGHT, MOST = 430.0, 5_000
RANKS = ((10, "rank 1 to 10"), (100, "to 100"), (1000, "to 1,000"), (np.inf, "beyond"))


def loss_scatter(comparison: Comparison, *, theme: str = "light", width: float = 460) -> go.Figure:
    """Draw loss A against loss B of every timestep that counts, coloured by the rank of the target in B where known.

    Of more than 5,000 timesteps those that changed most are drawn, and the title says so.

    Args:
        comparison: of `lossviz.runs.compare`.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the theme does not exist.

    >>> from lossviz import Batch
    >>> from lossviz.runs import compare
    >>> a, b = (Batch.from_arrays(losses=losses, targets=[[1, 2]]) for losses in ([[1.0, 4.0]], [[2.0, 0.5]]))
    >>> points = loss_scatter(compare(a, b)).data[1]
    >>> points.x.tolist(), points.y.tolist()
    ([4.0, 1.0], [0.5, 2.0])
    """
    colours = theme_named(theme)
    a, b = comparison.a.batch_loss, comparison.b.batch_loss
    known = np.argwhere(comparison.counts & np.isfinite(a) & np.isfinite(b))
    if not len(known):
        return empty("No timestep has a loss in both.", width, colours)
    order = np.argsort(-np.abs(comparison.losses[tuple(known.T)]), kind="stable")[:MOST]
    at = known[order]
    end = float(max(a[tuple(at.T)].max(), b[tuple(at.T)].max())) * 1.05 or 1.0
    cut = f" ({MOST:,} of {len(known):,}, those that changed most)" if len(known) > MOST else ""
    frame = panel(f"Loss A × loss B{cut}", (width, HEIGHT), (56, 16, 62, 46), colours)
    missing = int(comparison.counts.sum()) - len(known)
    left_out = f" ({missing:,} without a finite loss in both left out)" if missing else ""
    for axis, name in (("xaxis", f"loss in A, nats{left_out}"), ("yaxis", "loss in B, nats")):
        title = {"text": name, "font": {"size": 12, "color": colours.muted}, "standoff": 4}
        frame[axis] |= {"range": [0, end], "title": title, "showgrid": True, "gridcolor": colours.pad, "nticks": 6}
    groups = _groups(comparison, at, colours)
    frame["annotations"] = [_legend(groups, width)] if len(groups) > 1 else []
    equal = {"type": "scatter", "mode": "lines", "name": "the same", "x": [0, end], "y": [0, end], "hoverinfo": "skip"}
    line = {"line": {"color": colours.muted, "width": 1, "dash": "dot"}, "showlegend": False}
    return figure([equal | line, *(_points(comparison, *group) for group in groups)], frame)


def _groups(comparison: Comparison, at: np.ndarray, theme: Theme) -> list[tuple[str, np.ndarray, str]]:
    """The points by the class of their rank in B: all in one where no rank is known."""
    ranks = np.asarray(comparison.b.rank, float)[tuple(at.T)]
    if not (ranks > 0).any():
        return [("timesteps", at, theme.bar)]
    shades = (theme.scale[3], theme.scale[5], theme.target, theme.highlight)
    groups, low = [], 0.0
    for (high, name), colour in zip(RANKS, shades, strict=True):
        inside = at[(ranks > low) & (ranks <= high)]
        groups += [(name, inside, colour)] if len(inside) else []
        low = high
    unknown = at[~(ranks > 0)]
    return [*groups, *([("rank not known", unknown, theme.muted)] if len(unknown) else [])]


def _points(comparison: Comparison, name: str, at: np.ndarray, colour: str) -> Spec:
    place = tuple(at.T)
    a, b = comparison.a.batch_loss[place], comparison.b.batch_loss[place]
    tokens = [comparison.a.batch.token(int(target)) for target in comparison.a.batch.targets[place]]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": a,
        "y": b,
        "customdata": [
            f"<b>{plotly_text(token)}</b>, sequence {row}, timestep {column}<br>A {number(one)}, B {number(other)}"
            for token, (row, column), one, other in zip(tokens, at, a, b, strict=True)
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"size": 6, "color": colour, "opacity": 0.75, "line": {"width": 0}},
        "showlegend": False,
    }


def _legend(groups: list[tuple[str, np.ndarray, str]], width: float) -> Spec:
    words = "  ".join(f"<span style='color:{colour}'>●</span> {name}" for name, _, colour in groups)
    at = {
        "x": 56 / width,
        "y": 1 - 44 / HEIGHT,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "middle",
    }
    return {"name": "legend", "text": words, "showarrow": False, "font": {"size": 12}, **at}
