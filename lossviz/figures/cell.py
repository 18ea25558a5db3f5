"""One timestep: how probable the model found its target, beside the classes that it found likeliest."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from lossviz.explanation import ClassStep, Explanation
from lossviz.figures._core.frame import base, empty, figure
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures._core.text import ellipsis, number, plotly_text, with_id

__all__ = ["class_bars"]

Spec = dict[str, Any]
TOKENS, NUMBERS, ROW = 130.0, 70.0, 30.0
_HOVER = "%{customdata[0]} (%{customdata[1]})<br>probability %{x:.6~g}"
_OF_LOGITS = "<br>logit %{customdata[2]:.4f}<br>gradient %{customdata[3]:.4~g}"


def class_bars(explanation: Explanation, *, theme: str = "light", width: float = 480) -> go.Figure:
    """Draw the probabilities of a timestep's likeliest classes, the target in its own colour and pattern.

    Args:
        explanation: of one timestep, from `analysis.explain(b, t)`.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the theme does not exist.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.log([[[1.0, 3.0]]]), targets=[[0]], vocabulary=["tea", "cup"])
    >>> drawn = class_bars(analyze(batch).explain(0, 0))
    >>> [(bars.name, list(bars.text)) for bars in drawn.data]
    [('target', ['0.2500']), ('other classes', ['0.7500'])]
    """
    colours = theme_named(theme)
    known = [step for step in explanation.classes if np.isfinite(step.probability)]
    if not known:
        return empty(explanation.note or "This timestep has no probabilities.", width, colours)
    places = {step.class_id: at for at, step in enumerate(known)}
    height = 44 + ROW * len(known) + 64
    data = [
        _bars(
            name,
            [step for step in known if step.is_target == is_target],
            places,
            colours,
            is_target=is_target,
            has_logits=explanation.has_logits,
        )
        for name, is_target in (("target", True), ("other classes", False))
    ]
    title = f"Sequence {explanation.sequence}, timestep {explanation.timestep}: the likeliest classes"
    return figure([spec for spec in data if len(spec["y"])], _layout(title, known, width, height, colours))


def _bars(
    name: str, steps: list[ClassStep], places: dict[int, int], theme: Theme, *, is_target: bool, has_logits: bool
) -> Spec:
    stripes = {"shape": "/", "fgcolor": theme.page, "bgcolor": theme.target, "size": 6, "solidity": 0.25}
    pattern = stripes if is_target else {"shape": ""}
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "x": np.array([step.probability for step in steps]),
        "y": np.array([places[step.class_id] for step in steps], np.int32),
        "text": [number(step.probability) for step in steps],
        "customdata": [[plotly_text(step.token), step.class_id, step.logit, step.gradient] for step in steps],
        "hovertemplate": _HOVER + (_OF_LOGITS if has_logits else "") + "<extra></extra>",
        "textposition": "outside",
        "constraintext": "none",
        "cliponaxis": False,
        "textfont": {"size": 12, "color": theme.text},
        "width": 0.7,
        "marker": {"color": theme.target if is_target else theme.bar, "pattern": pattern, "line": {"width": 0}},
        "showlegend": True,
    }


def _layout(title: str, steps: list[ClassStep], width: float, height: float, theme: Theme) -> Spec:
    small = {"size": 12, "color": theme.muted}
    frame = base(title, width, height, theme)
    frame["title"]["font"] = {"size": 14, "color": theme.text}
    return frame | {
        "xaxis": {
            "domain": [TOKENS / width, 1 - NUMBERS / width],
            "range": [0, 1],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "tickvals": [0, 0.5, 1],
            "tickfont": small,
            "title": {"text": "probability", "font": small, "standoff": 4},
        },
        "yaxis": {
            "domain": [64 / height, 1 - 44 / height],
            "range": [len(steps) - 0.5, -0.5],
            "fixedrange": True,
            "showgrid": False,
            "zeroline": False,
            "ticks": "",
            "tickvals": list(range(len(steps))),
            "ticktext": [with_id(ellipsis(step.token, TOKENS - 60), step.class_id) for step in steps],
            "tickfont": {"size": 12, "color": theme.text},
        },
        "barmode": "overlay",
        "showlegend": True,
        "legend": {
            "orientation": "h",
            "x": TOKENS / width,
            "y": 4 / height,
            "xanchor": "left",
            "yanchor": "bottom",
            "font": {"size": 12, "color": theme.text},
            "bgcolor": "rgba(0,0,0,0)",
        },
    }
