"""What two programs print while they train, and what is true of their models: four lines in one small chart."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from lossviz.digits import number
from lossviz.figures._core.frame import empty, figure
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures.runs._panel import line, panel

__all__ = ["Learning", "learning_curves", "step_line"]

Spec = dict[str, Any]
TOP, FOOT, LEFT, RIGHT, PLOT, APART = 36.0, 40.0, 52.0, 170.0, 130.0, 15.0


class Learning(NamedTuple):
    """One run: its name, what it printed at each step [N], and the true mean [F] after some of them."""

    name: str
    printed: np.ndarray
    steps: np.ndarray
    true: np.ndarray


def learning_curves(
    runs: Sequence[Learning],
    *,
    step: int | None = None,
    last: int | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw for each run the printed number as dots and the true mean as a line, named at their ends.

    Args:
        runs: at most two.
        step: the step that is looked at, a vertical line.
        last: the last step of the axis, where the runs have not come there yet.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the theme does not exist.

    >>> run = Learning("bug", np.array([2.0, 1.0]), np.array([0, 2]), np.array([2.5, 3.0]))
    >>> [(trace.name, trace.line.dash) for trace in learning_curves([run], step=2).data]
    [('bug, printed', 'dot'), ('bug, true', 'solid')]
    """
    colours = theme_named(theme)
    if not any(len(run.steps) for run in runs):
        return empty("No step was trained yet.", width, colours)
    height = TOP + PLOT + FOOT
    frame = panel("Printed and true", (width, height), (LEFT, RIGHT, TOP, FOOT), colours)
    frame["title"]["font"]["size"] = 14
    end = max(last or 0, *(int(run.steps[-1]) for run in runs if len(run.steps)), 1)
    values = np.concatenate([np.concatenate([run.printed, run.true]) for run in runs])
    highest = float(values.max(where=np.isfinite(values), initial=0.0)) * 1.05 or 1.0
    words = {"font": {"size": 12, "color": colours.muted}, "standoff": 4}
    frame["xaxis"] |= {"range": [0, end], "title": {"text": "step"} | words}
    frame["yaxis"] |= {
        "range": [0.0, highest],
        "title": {"text": "nats"} | words,
        "showgrid": True,
        "gridcolor": colours.hatch,
    }
    frame["yaxis"]["nticks"] = 5
    data, ends = [], []
    for run, colour in zip(runs, (colours.bar, colours.target), strict=False):
        steps = np.arange(1, len(run.printed) + 1)
        data.append(line(f"{run.name}, printed", run.printed, colour, dash="dot", width=1.5, x=steps))
        data.append(line(f"{run.name}, true", run.true, colour, width=2.5, x=np.asarray(run.steps)))
        for trace, sign in zip(data[-2:], ("┅", "━"), strict=True):
            known = trace["y"][np.isfinite(trace["y"])]
            if len(known):
                ends.append((float(known[-1]), f"{sign} {escape(trace['name'])} {number(known[-1])}", colour))
    frame["annotations"] = _labels(ends, highest, (width, height), colours)
    if step is not None:
        frame["shapes"] = [step_line(step, theme=theme)]
    return figure(data, frame)


def step_line(step: int, *, theme: str = "light") -> Spec:
    """What marks a step in the curves, as a shape of Plotly: another step needs no other curves.

    Args:
        step: that is looked at.
        theme: "light" or "dark".

    >>> line = step_line(80)
    >>> line["x0"], line["x1"], line["yref"]
    (80, 80, 'y domain')
    """
    ends = {"x0": step, "x1": step, "y0": 0, "y1": 1, "xref": "x", "yref": "y domain"}
    look = {"width": 1.5, "color": theme_named(theme).text, "dash": "solid"}
    return {"type": "line", "name": "step", "line": look, **ends}


def _labels(ends: list[tuple[float, str, str]], highest: float, size: tuple[float, float], theme: Theme) -> list[Spec]:
    """Each line's name at its end; names that would lie over each other are moved apart."""
    width, height = size
    wanted = sorted((TOP + PLOT * (1 - min(value, highest) / highest), text, colour) for value, text, colour in ends)
    places: list[float] = []
    for at, *_ in wanted:
        places.append(max(at, places[-1] + APART) if places else max(at, TOP))
    over = max(places[-1] - (TOP + PLOT), 0.0) if places else 0.0
    for place in range(len(places) - 1, -1, -1):  # the lowest go up again as far as they left the panel
        highest_of_rest = places[place + 1] - APART if place + 1 < len(places) else places[place] - over
        places[place] = min(places[place], highest_of_rest)
    return [
        {
            "name": "label",
            "text": f"<span style='color:{colour}'>{text[0]}</span>{text[1:]}",
            "x": 1 - (RIGHT - 8) / width,
            "y": 1 - at / height,
            "xref": "paper",
            "yref": "paper",
            "xanchor": "left",
            "yanchor": "middle",
            "showarrow": False,
            "font": {"size": 12, "color": theme.text},
        }
        for at, (_, text, colour) in zip(places, wanted, strict=True)
    ]
