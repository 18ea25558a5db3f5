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
from lossviz.figures.live import live_equation
from lossviz.figures.mask import mask
from lossviz.figures.overview import overview, window_outline
from lossviz.figures.runs.difference_map import difference_map
from lossviz.figures.runs.grouped_losses import grouped_losses
from lossviz.figures.runs.learning_curves import Learning, learning_curves, step_line
from lossviz.figures.runs.loss_scatter import loss_scatter
from lossviz.figures.runs.run_steps import run_steps
from lossviz.figures.runs.sequence_strips import sequence_strips
from lossviz.figures.runs.step_strip import step_strip
from lossviz.figures.runs.trajectory import trajectory
from lossviz.figures.runs.two_runs import two_runs
from lossviz.figures.split import split_weights

__all__ = [
    "FIGURES",
    "QUANTITIES",
    "Figure",
    "Learning",
    "Quantity",
    "class_bars",
    "coefficient_map",
    "conventions",
    "difference_map",
    "equation",
    "grid",
    "grouped_losses",
    "learning_curves",
    "live_equation",
    "loss_scatter",
    "mask",
    "overview",
    "run_steps",
    "sequence_strips",
    "split_weights",
    "step_line",
    "step_strip",
    "trajectory",
    "two_runs",
    "visible",
    "window_outline",
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
    Figure("difference_map", "The loss of each timestep in one batch less that in another", difference_map),
    Figure("equation", "Batch loss × mask = unpadded loss, and what it is divided by", equation),
    Figure("grid", "One heatmap of the equation by itself", grid),
    Figure("grouped_losses", "The losses of a run by position, token or length", grouped_losses),
    Figure("learning_curves", "Printed and true means of two programs while they train", learning_curves),
    Figure("loss_scatter", "Loss against loss, a point a timestep", loss_scatter),
    Figure("mask", "Which timesteps count, from the batch alone", mask),
    Figure("overview", "A whole batch at a glance", overview),
    Figure("run_steps", "Printed number and true mean over the steps of a run", run_steps),
    Figure("sequence_strips", "A ranked list of sequences as strips of cells", sequence_strips),
    Figure("split_weights", "What each timestep weighs where the means of parts are averaged", split_weights),
    Figure("step_strip", "All steps of a run in a narrow strip", step_strip),
    Figure("trajectory", "One sequence over the steps of a run", trajectory),
    Figure("two_runs", "One batch under two models, side by side", two_runs),
)
