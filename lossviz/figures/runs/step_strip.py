"""All steps of a run in the width of a sidebar: the printed number, the true mean, and a ribbon to choose one from."""

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from lossviz.figures._core.frame import empty, figure
from lossviz.figures._core.style import theme_named
from lossviz.figures.runs._panel import RIBBON, line, panel, printed_values, ribbon, step_axis

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["step_strip"]

HEIGHT, TOP, FOOT = 148.0, 30.0, 18.0


def step_strip(steps: "pd.DataFrame", *, theme: str = "light", width: float = 260) -> go.Figure:
    """Draw the mean and the printed number of every step, and a ribbon with one cell a step.

    Args:
        steps: of `Run.steps()`.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the theme does not exist.

    >>> import pandas
    >>> steps = pandas.DataFrame({"step": [0, 100], "mean": [2.0, 1.0], "printed": ["2.0000", None]})
    >>> [(trace.name, trace.y.tolist()) for trace in step_strip(steps).data[:2]]
    [('mean', [2.0, 1.0]), ('printed', [2.0, nan])]
    """
    colours = theme_named(theme)
    if not len(steps):
        return empty("No step was recorded.", width, colours)
    title = f"mean <span style='color:{colours.bar}'>━</span>  printed <span style='color:{colours.target}'>┅</span>"
    frame = panel(title, (width, HEIGHT), (30, 6, TOP, FOOT + RIBBON + 6), colours)
    frame["title"] = frame["title"] | {"font": {"size": 12, "color": colours.text}, "x": 4 / width}
    frame |= dict.fromkeys(("paper_bgcolor", "plot_bgcolor"), "rgba(0,0,0,0)")  # a sidebar has a ground of its own
    frame["xaxis"] |= step_axis(steps["step"].to_numpy(), width - 36) | {"anchor": "y2"}
    frame["yaxis"] |= {"nticks": 4, "rangemode": "tozero"}
    frame["yaxis2"] = {
        "domain": [FOOT / HEIGHT, (FOOT + RIBBON) / HEIGHT],
        "range": [0.5, -0.5],
        "visible": False,
        "fixedrange": True,
        "anchor": "x",
    }
    printed = printed_values(steps)
    data = [line("mean", steps["mean"].to_numpy(), colours.bar), line("printed", printed, colours.target, dash="dot")]
    return figure([data[0], *([data[1]] if np.isfinite(printed).any() else []), ribbon(steps, colours)], frame)
