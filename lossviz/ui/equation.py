"""The picture: batch loss × mask = unpadded loss; an overview with a detail window where it would not fit."""

import numpy as np
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.figures import equation, overview
from lossviz.ui.plot import plot
from lossviz.ui.state import Source, State
from lossviz.ui.window import needs_window, window_controls

__all__ = ["equation_panel", "theme"]


def theme() -> str:
    """Light or dark, as the page is."""
    return "dark" if st.context.theme.type == "dark" else "light"


def equation_panel(state: State, analysis: Analysis, quantity: str) -> None:
    """Draw the equation and take the selected cell from it."""
    with st.container(key="explore_equation"):
        window = None
        if needs_window(analysis):
            window = window_controls(state, analysis)
            picture = overview(analysis, quantity=quantity, window=window, theme=theme())
            state.jump = plot(picture, key="overview", label="The whole batch. Select a place to see it in detail.")
        figure = equation(analysis, quantity=quantity, window=window, highlight=_edited(state), theme=theme())
        state.cell = plot(figure, key="equation", cell=state.cell, label=_label(analysis))


def _label(analysis: Analysis) -> str:
    rows, timesteps = analysis.batch_loss.shape
    return (
        f"Batch loss times mask gives unpadded loss: {rows} sequences, {timesteps} timesteps. Arrow keys select a cell."
    )


def _edited(state: State) -> np.ndarray | None:
    """The timesteps that differ from the source, [B, T]; a changed length marks the row's changed end."""
    source = state.source
    return None if source is None or not source.differences else edited_cells(source)


def edited_cells(source: Source) -> np.ndarray:
    """Where the batch on screen is not as it came, [B, T] bool."""
    cells = np.zeros(source.batch.targets.shape, bool)
    for edit in source.differences:
        if len(edit.index) > 1:
            cells[edit.index[:2]] = True
        else:
            cells[edit.index[0]] = True
    return cells
