"""The timesteps of a finding or a repair, outlined in the equation of heatmaps."""

import numpy as np
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.figures import equation
from lossviz.headline import cell_words
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.computation import has_number
from lossviz.ui.shared.equation import theme, without_result
from lossviz.ui.shared.plot import plot, plot_width
from lossviz.ui.shared.widgets import say
from lossviz.ui.shared.window import needs_window, window_controls

__all__ = ["outlined_picture"]

KEY = "doctor_equation"
WIDTH = 896  # in a card at 1280 × 800, until the browser has said its own
SEEN = "doctor:seen"


def outlined_picture(state: State, analysis: Analysis, cells: np.ndarray, about: str) -> None:
    """Draw the equation with some timesteps outlined, and take the selected cell from it.

    Args:
        state: whose cell is selected.
        analysis: what is drawn.
        cells: [B, T] bool, what is outlined.
        about: what these timesteps are, as in "the timesteps of SHF05".
    """
    window = _window(state, analysis, cells, about) if needs_window(analysis) else None
    figure = equation(analysis, window=window, highlight=cells, theme=theme(), width=plot_width(KEY, WIDTH))
    if not has_number(analysis):
        figure = without_result(figure)
    count = int(cells.sum())
    label = f"The equation of losses, with {about} outlined: {count:,}. Arrow keys select a cell."
    state.cell = plot(figure, key=KEY, cell=state.cell, label=label)
    if not count:
        st.caption("It is about the whole batch: no timestep is outlined.")
    elif window is not None:
        row0, row1, t0, t1 = window
        shown = int(cells[row0:row1, t0:t1].sum())
        st.caption(f"This part of the batch has {shown:,} of {about}, which are {count:,}.")
    _selected(state, analysis)


def _window(state: State, analysis: Analysis, cells: np.ndarray, about: str) -> tuple[int, int, int, int]:
    """The part of a large batch to draw: around the first outlined timestep, until it is moved."""
    seen = (about, cells.tobytes())
    if read_widget(SEEN) != seen and cells.any():
        row, timestep = np.argwhere(cells)[0]
        state.jump = int(row), int(timestep)
    write_widget(SEEN, seen)
    return window_controls(state, analysis)


def _selected(state: State, analysis: Analysis) -> None:
    rows, timesteps = analysis.batch_loss.shape
    if state.cell is not None and state.cell[0] < rows and state.cell[1] < timesteps:
        words = cell_words(analysis.explain(*state.cell), has_number=has_number(analysis))
        say("caption", f"Sequence {state.cell[0]}, timestep {state.cell[1]}: {words}")
