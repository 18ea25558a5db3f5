"""A ranked list of sequences, each as a thin strip of its own cells."""

from typing import TYPE_CHECKING

import numpy as np
import plotly.graph_objects as go

from lossviz.digits import number
from lossviz.errors import InputError, not_one_of
from lossviz.figures._core.frame import empty
from lossviz.figures._core.style import theme_named
from lossviz.figures._core.text import plotly_text
from lossviz.figures.runs._grid import PAD, UNRECORDED, Grid, sequential_end

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MEASURES", "sequence_strips"]

MEASURES = {"mean": "mean loss, nats", "change": "after − before, nats", "spread": "mean loss, nats"}
"""What ranks the sequences, and what their cells then show."""
_BEFORE_ROWS = {"mean": "mean loss", "change": "change of the mean loss", "spread": "range of the mean loss"}


def sequence_strips(
    strips: "pd.DataFrame", *, measure: str = "mean", theme: str = "light", width: float = 1000
) -> go.Figure:
    """Draw each sequence as a row of cells, the first one on top; cells can be selected.

    Args:
        strips: of `Run.strips(…)`, one row a timestep of a sequence.
        measure: one of `MEASURES`, which ranks them; its number stands before the row. "change" draws differences.
        theme: "light" or "dark".
        width: of the figure in pixels.

    Raises:
        InputError: if the measure or the theme does not exist.

    >>> import pandas
    >>> strips = pandas.DataFrame({"sequence": ["a1", "a1"], "timestep": [0, 1], "token": ["tea", "cup"],
    ...                            "mean": [1.0, 2.0], "change": [0.5, 0.0], "value": [1.5, 1.5]})
    >>> drawn = sequence_strips(strips)
    >>> drawn.data[0].z.tolist(), list(drawn.layout.yaxis.ticktext)
    ([[1.0, 2.0]], ['1.5000'])
    """
    if measure not in MEASURES:
        raise InputError(not_one_of("measure", measure, MEASURES))
    colours = theme_named(theme)
    if not len(strips):
        return empty("No sequence has these tokens and this length. Widen the filters.", width, colours)
    keys = list(dict.fromkeys(strips["sequence"]))
    place, at = {key: row for row, key in enumerate(keys)}, strips["timestep"].to_numpy(int)
    rows = np.array([place[key] for key in strips["sequence"]])
    shape = len(keys), int(at.max()) + 1
    z, codes = np.full(shape, np.nan), np.full(shape, PAD, np.uint8)
    shown = strips["change" if measure == "change" else "mean"].to_numpy(float)
    z[rows, at] = shown
    codes[rows, at] = np.where(np.isnan(shown), UNRECORDED, 0)
    words = [[""] * shape[1] for _ in keys]
    hover = [[""] * shape[1] for _ in keys]
    for row, timestep, token, mean, change in zip(
        rows, at, strips["token"], strips["mean"], strips["change"], strict=True
    ):
        words[row][timestep] = token
        hover[row][timestep] = (
            f"<b>{plotly_text(token)}</b>, timestep {timestep}<br>mean loss {number(mean)}"
            f"<br>after − before {number(change)}"
        )
    values = strips.drop_duplicates("sequence")["value"]
    finite = np.abs(shown[np.isfinite(shown)])
    return Grid(
        z=z,
        codes=codes,
        title=("One sequence" if len(keys) == 1 else f"{len(keys)} sequences, each")
        + f" with its {_BEFORE_ROWS[measure]}",
        axis="timestep",
        bar=MEASURES[measure],
        rows=[number(value) for value in values],
        left=66.0,
        columns=np.arange(shape[1]),
        words=words,
        hover=hover,
        end=(float(np.quantile(finite, 0.99)) or 1.0) if measure == "change" and finite.size else sequential_end(shown),
        diverging=measure == "change",
        row=22.0,
    ).draw(width, colours)
