"""What the pictures of a run share: a panel in a frame, an axis of steps, lines, a ribbon to choose a step from."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.digits import number
from lossviz.figures._core.frame import base
from lossviz.figures._core.style import Theme

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["RIBBON", "area", "hover_of_steps", "line", "panel", "printed_values", "ribbon", "step_axis"]

Array = np.ndarray
Spec = dict[str, Any]
RIBBON = 14.0  # pixels
_TICK = 62.0  # pixels between the labels of steps


def panel(title: str, size: tuple[float, float], margin: tuple[float, float, float, float], theme: Theme) -> Spec:
    """The layout of one panel.

    Args:
        title: of the figure.
        size: width and height in pixels.
        margin: left, right, top and bottom in pixels.
        theme: the colours.
    """
    (width, height), (left, right, top, bottom) = size, margin
    quiet = {"showgrid": False, "zeroline": False, "tickfont": {"size": 11, "color": theme.muted}, "fixedrange": True}
    return base(title, width, height, theme) | {
        "xaxis": {**quiet, "domain": [left / width, 1 - right / width], "anchor": "y"},
        "yaxis": {**quiet, "domain": [bottom / height, 1 - top / height], "anchor": "x"},
    }


def step_axis(steps: Array, width: float) -> Spec:
    """An axis with one place a step, so that a ribbon and lines stand above each other; labels are the steps' numbers.

    >>> step_axis(np.array([0, 100, 200]), 200)["ticktext"]
    ['0', '100', '200']
    """
    count = len(steps)
    every = max(1, int(np.ceil(count * _TICK / max(width, 1))))
    places = list(range(0, count, every))
    return {
        "range": [-0.5, max(count, 1) - 0.5],
        "tickvals": places,
        "ticktext": [f"{steps[place]:,}" for place in places],
        "ticks": "",
    }


def line(name: str, values: Array, colour: str, *, dash: str = "solid", width: float = 1.5, **more: Any) -> Spec:
    """A line over the places of the steps."""
    return {
        "type": "scatter",
        "mode": "lines" if len(values) > 1 else "markers",
        "name": name,
        "x": np.arange(len(values), dtype=np.int32),
        "y": np.asarray(values, float),
        "line": {"width": width, "color": colour, "dash": dash},
        "marker": {"color": colour, "size": 6},
        "hoverinfo": "skip",
        "showlegend": False,
        **more,
    }


def area(name: str, low: Array, high: Array, colour: str) -> list[Spec]:
    """The area between two lines."""
    edge = {"width": 0, "showlegend": False}
    return [
        line(f"{name} from", low, colour, width=edge["width"]),
        line(name, high, colour, width=edge["width"], fill="tonexty", fillcolor=colour),
    ]


def ribbon(steps: "pd.DataFrame", theme: Theme, axes: tuple[str, str] = ("x", "y2")) -> Spec:
    """One cell a step, coloured by its mean: where a step is chosen, by mouse or with the arrow keys."""
    means = steps["mean"].to_numpy(float)
    finite = means[np.isfinite(means)]
    return {
        "type": "heatmap",
        "name": "mean",
        "z": means[None],
        "x": np.arange(len(means), dtype=np.int32),
        "y": np.array([0], np.int32),
        "xaxis": axes[0],
        "yaxis": axes[1],
        "colorscale": theme.colorscale,
        "zmin": 0.0,
        "zmax": float(finite.max()) if finite.size and finite.max() > 0 else 1.0,
        "showscale": False,
        "text": [hover_of_steps(steps)],
        "hovertemplate": "%{text}<extra></extra>",
        "meta": {"select": True},
    }


def hover_of_steps(steps: "pd.DataFrame") -> list[str]:
    """What is said of each step under the pointer."""
    printed = printed_values(steps)
    return [
        f"<b>step {step:,}</b><br>mean {number(mean)}" + ("" if np.isnan(shown) else f"<br>printed {number(shown)}")
        for step, mean, shown in zip(steps["step"], steps["mean"], printed, strict=True)
    ]


def printed_values(steps: "pd.DataFrame") -> Array:
    """The printed numbers as floats; NaN where nothing was printed, or no number."""
    values = []
    for text in steps["printed"]:
        try:
            values.append(float(text))
        except (TypeError, ValueError):
            values.append(np.nan)
    return np.array(values, float)
