"""A run over its steps: what was printed, the true mean, the spread of the losses, and the doctor's findings."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from lossviz.figures._core.frame import empty, figure
from lossviz.figures._core.style import Theme, theme_named
from lossviz.figures.runs._panel import RIBBON, area, line, panel, printed_values, ribbon, step_axis

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["run_steps"]

Spec = dict[str, Any]
TOP, FOOT, LEFT, RIGHT, PLOT, ROW = 58.0, 40.0, 76.0, 20.0, 200.0, 18.0


def run_steps(
    steps: "pd.DataFrame",
    *,
    findings: Mapping[str, Sequence[int]] | None = None,
    theme: str = "light",
    width: float = 1000,
) -> go.Figure:
    """Draw the printed number and the true mean of every step, a band of the losses that count, and the findings.

    Args:
        steps: of `Run.steps()`.
        findings: the steps that have each finding, by its code, as marks on a line of its own.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the theme does not exist.

    >>> import pandas
    >>> bands = {"low": [1, 1], "middle": [2, 1], "high": [3, 1]}
    >>> table = pandas.DataFrame({"step": [0, 9], "printed": ["2.0", "1.0"], "mean": [2.0, 1.0], **bands})
    >>> drawn = run_steps(table, findings={"PAD01": [9]})
    >>> [(trace.name, [int(x) for x in trace.x]) for trace in drawn.data if trace.name in ("printed", "PAD01")]
    [('printed', [0, 1]), ('PAD01', [1])]
    """
    colours = theme_named(theme)
    if not len(steps):
        return empty("No step was recorded.", width, colours)
    found = dict(findings or {})
    printed = printed_values(steps)
    height = TOP + PLOT + 8 + RIBBON + ROW * len(found) + FOOT
    frame = panel(_title(steps), (width, height), (LEFT, RIGHT, TOP, height - TOP - PLOT), colours)
    frame["xaxis"] |= step_axis(steps["step"].to_numpy(), width - LEFT - RIGHT) | {"anchor": "y3" if found else "y2"}
    frame["xaxis"]["title"] = {"text": "step", "font": {"size": 12, "color": colours.muted}, "standoff": 4}
    frame["yaxis"] |= {"range": _range(steps, printed), "title": _axis_title("nats per timestep", colours)}
    below = TOP + PLOT + 8
    frame["yaxis2"] = _rows_axis(height, below, RIBBON, ["mean"], colours)
    frame["yaxis3"] = _rows_axis(height, below + RIBBON, max(ROW * len(found), 1.0), list(found), colours)
    frame["annotations"] = _legend(width, height, has_printed=bool(np.isfinite(printed).any()), theme=colours)
    data = [
        *area("losses that count, 10 to 90 %", steps["low"].to_numpy(), steps["high"].to_numpy(), _faint(colours.bar)),
        line("median", steps["middle"].to_numpy(), colours.muted, width=1.0),
        line("mean", steps["mean"].to_numpy(), colours.bar, width=2.0),
        *([line("printed", printed, colours.target, width=2.0, dash="dot")] if np.isfinite(printed).any() else []),
        ribbon(steps, colours),
        *_findings(steps, found, colours),
    ]
    return figure(data, frame)


def _title(steps: "pd.DataFrame") -> str:
    first, last = steps["step"].iloc[0], steps["step"].iloc[-1]
    return f"Printed number and true mean, {len(steps):,} steps from {first:,} to {last:,}"


def _range(steps: "pd.DataFrame", printed: np.ndarray) -> list[float]:
    values = np.concatenate([steps["high"].to_numpy(float), steps["mean"].to_numpy(float), printed, [0.0]])
    highest = float(values.max(where=np.isfinite(values), initial=0.0))
    return [0.0, 1.05 * highest or 1.0]


def _axis_title(words: str, theme: Theme) -> Spec:
    return {"text": words, "font": {"size": 12, "color": theme.muted}, "standoff": 6}


def _rows_axis(height: float, top: float, size: float, names: list[str], theme: Theme) -> Spec:
    ends = [max(len(names), 1) - 0.5, -0.5]
    ticks = {"tickvals": list(range(len(names))), "ticktext": names, "tickfont": {"size": 11, "color": theme.muted}}
    return {
        "domain": [max(1 - (top + size) / height, 0.0), 1 - top / height],
        "range": ends,
        "anchor": "x",
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "ticks": "",
        **ticks,
    }


def _findings(steps: "pd.DataFrame", found: Mapping[str, Sequence[int]], theme: Theme) -> list[Spec]:
    """A mark at every step that has a finding, a line of its own for each code."""
    place = {int(step): at for at, step in enumerate(steps["step"])}
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": code,
            "x": [place[step] for step in at if step in place],
            "y": [row] * sum(step in place for step in at),
            "yaxis": "y3",
            "marker": {"symbol": "line-ns-open", "size": 10, "color": theme.target, "line": {"width": 2}},
            "text": [f"{code} at step {step:,}" for step in at if step in place],
            "hovertemplate": "%{text}<extra></extra>",
            "showlegend": False,
        }
        for row, (code, at) in enumerate(found.items())
    ]


def _legend(width: float, height: float, *, has_printed: bool, theme: Theme) -> list[Spec]:
    entries = [
        ("━", theme.bar, "mean"),
        ("┅", theme.target, "printed"),
        ("─", theme.muted, "median of the losses"),
        ("▮", _faint(theme.bar), "10 to 90 % of them"),
    ]
    words = "   ".join(
        f"<span style='color:{colour}'>{sign}</span> {name}"
        for sign, colour, name in entries
        if has_printed or name != "printed"
    )
    at = {
        "x": LEFT / width,
        "y": 1 - 42 / height,
        "xref": "paper",
        "yref": "paper",
        "xanchor": "left",
        "yanchor": "middle",
    }
    return [{"name": "legend", "text": words, "showarrow": False, "font": {"size": 12, "color": theme.text}, **at}]


def _faint(colour: str) -> str:
    """A colour that lets what lies under it through.

    >>> _faint("#2a6cb8")
    'rgba(42,108,184,0.22)'
    """
    return f"rgba({','.join(str(int(colour[i : i + 2], 16)) for i in (1, 3, 5))},0.22)"
