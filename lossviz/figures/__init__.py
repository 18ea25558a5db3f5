"""The pictures: pure functions to a Plotly figure, of an Analysis, a Batch, an Explanation, or the tables of a run.

No Streamlit, no files, no global template.

`FIGURES` lists them; adding one is its module and its line here.
"""

from collections.abc import Callable
from typing import NamedTuple

from lossviz.errors import require

require("plotly", "Drawing a figure")

import plotly.graph_objects as go

from lossviz.figures._core.quantity import QUANTITIES, Quantity
from lossviz.figures._core.text import visible
from lossviz.figures.cell import class_bars
from lossviz.figures.coefficient_map import coefficient_map
from lossviz.figures.conventions import conventions
from lossviz.figures.equation import equation
from lossviz.figures.grid import grid
from lossviz.figures.mask import mask
from lossviz.figures.overview import overview
from lossviz.figures.runs.step_strip import step_strip
from lossviz.figures.split import split_weights

__all__ = [
    "FIGURES",
    "QUANTITIES",
    "Figure",
    "Quantity",
    "class_bars",
    "coefficient_map",
    "conventions",
    "equation",
    "grid",
    "mask",
    "overview",
    "split_weights",
    "step_strip",
    "visible",
]


class Figure(NamedTuple):
    """An entry of the catalogue: the function's name, what it shows, and the function."""

    name: str
    title: str
    function: Callable[..., go.Figure]


FIGURES = (
    Figure("class_bars", "The likeliest classes of one timestep, and its target", class_bars),
    Figure("coefficient_map", "What a formula counts, and by how much", coefficient_map),
    Figure("conventions", "What each library would print, as bars", conventions),
    Figure("equation", "Batch loss × mask = unpadded loss, and what it is divided by", equation),
    Figure("grid", "One heatmap of the equation by itself", grid),
    Figure("mask", "Which timesteps count, from the batch alone", mask),
    Figure("overview", "A whole batch at a glance", overview),
    Figure("split_weights", "What each timestep weighs where the means of parts are averaged", split_weights),
    Figure("step_strip", "All steps of a run in a narrow strip", step_strip),
)
