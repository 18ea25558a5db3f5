"""The pictures: pure functions from an Analysis to a Plotly figure. No Streamlit, no files, no global template.

`FIGURES` lists them; adding one is its module and its line here.
"""

from collections.abc import Callable
from typing import NamedTuple

import plotly.graph_objects as go

from lossviz.figures._quantity import QUANTITIES, Quantity
from lossviz.figures.equation import equation

__all__ = ["FIGURES", "QUANTITIES", "Figure", "Quantity", "equation"]


class Figure(NamedTuple):
    """An entry of the catalogue: the function's name, what it shows, and the function."""

    name: str
    title: str
    function: Callable[..., go.Figure]


FIGURES = (Figure("equation", "Batch loss × mask = unpadded loss, and what it is divided by", equation),)
