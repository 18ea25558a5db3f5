"""One sequence over the steps of a run: steps × timesteps, on one scale."""

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from lossviz.digits import number
from lossviz.figures._core.frame import empty
from lossviz.figures._core.style import theme_named
from lossviz.figures._core.text import plotly_text
from lossviz.figures.runs._grid import PAD, UNRECORDED, Grid, sequential_end

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["trajectory"]

HEIGHT, LARGEST, SMALLEST = 420.0, 24.0, 5.0


def trajectory(table: "pd.DataFrame", *, theme: str = "light", width: float = 1000) -> go.Figure:
    """Draw the loss of every timestep of a sequence at every step that recorded it; cells can be selected.

    Args:
        table: of `Run.trajectory(…)`.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the theme does not exist.

    >>> import pandas
    >>> table = pandas.DataFrame({"step": [0, 0, 9, 9], "timestep": [0, 1, 0, 1], "token": list("abab"),
    ...                           "loss": [4.0, 2.0, 1.0, 0.5], "weight": [1.0, 1.0, 1.0, 0.0]})
    >>> drawn = trajectory(table)
    >>> [trace.z.tolist() for trace in drawn.data if trace.name in ("marks", "loss")]
    [[[0, 0], [0, 1]], [[4.0, 2.0], [1.0, nan]]]
    """
    colours = theme_named(theme)
    if not len(table):
        return empty("Choose a sequence.", width, colours)
    steps, rows = np.unique(table["step"].to_numpy(int), return_inverse=True)
    at = table["timestep"].to_numpy(int)
    last = at.max(where=table["weight"].to_numpy(float) != 0, initial=0)  # what is padding at every step is left out
    table, rows, at = table[at <= last], rows[at <= last], at[at <= last]
    shape = len(steps), int(last) + 1
    losses, counts = table["loss"].to_numpy(float), table["weight"].to_numpy(float) != 0
    z, codes = np.full(shape, np.nan), np.full(shape, PAD, np.uint8)
    z[rows, at] = np.where(counts, losses, np.nan)
    codes[rows, at] = np.where(counts, np.where(np.isnan(losses), UNRECORDED, 0), PAD)
    hover, words = [[""] * shape[1] for _ in steps], [[""] * shape[1] for _ in steps]
    for row, timestep, token, loss, counted in zip(rows, at, table["token"], losses, counts, strict=True):
        state = f"loss {number(loss)}" if counted else "does not count"
        hover[row][timestep] = f"<b>{plotly_text(token)}</b>, step {steps[row]:,}, timestep {timestep}<br>{state}"
        words[row][timestep] = token
    return Grid(
        z=z,
        codes=codes,
        title=f"This sequence at {len(steps):,} {'step' if len(steps) == 1 else 'steps'}",
        axis="timestep",
        bar="loss, nats",
        rows=[f"{step:,}" for step in steps],
        left=66.0,
        columns=np.arange(shape[1]),
        words=words,
        hover=hover,
        end=sequential_end(z),
        named=[next((row[place] for row in words if row[place]), "") for place in range(shape[1])],
        row=min(max(HEIGHT / len(steps), SMALLEST), LARGEST),
    ).draw(width, colours)
