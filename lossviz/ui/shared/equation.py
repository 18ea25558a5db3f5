"""The picture: batch loss × mask = unpadded loss; an overview with a detail window where it would not fit."""

import time

import numpy as np
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.figures import QUANTITIES, Quantity, equation, mask, overview
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget
from lossviz.ui.shared.computation import engine_is_ready, load_engine
from lossviz.ui.shared.plot import plot, plot_width, selected_cell
from lossviz.ui.shared.window import needs_window, window_controls

__all__ = ["edited_cells", "equation_panel", "first_picture", "theme"]

HEAD_START = 0.04  # seconds: the browser draws the picture before the rest of the page keeps it busy
WIDTH = 930  # of the page at 1280 × 800, until the browser has said its own
STRETCH_HELP = (
    "Stretch the scale over this batch's values, and keep it while you edit. "
    "Otherwise 0 and the loss of a uniform guess, ln V, have the same colours in every batch."
)
OUTLINE_HELP = "Outline these timesteps in the picture."
EDITED = "What differs from the source"
READ = "What is read"
RESULT = ("÷", "divisor")  # what stands before the line with the divisor and the result


def theme() -> str:
    """Light or dark, as the page is."""
    return "dark" if st.context.theme.type == "dark" else "light"


def equation_panel(
    state: State, analysis: Analysis, quantity: str, *, has_number: bool = True
) -> tuple[int, int, int, int] | None:
    """Draw the equation and take the selected cell from it; returns the part that is shown, None for all.

    Where the chosen reduction has no number, the line with the divisor and the result is left out.
    """
    with st.container(key="explore_equation"):
        what = _scaled(state, analysis, quantity)
        window = None
        if needs_window(analysis):
            state.jump = selected_cell("overview", None)
            window = window_controls(state, analysis)
            wide = plot_width("overview", WIDTH)
            picture = overview(analysis, quantity=what, window=window, theme=theme(), width=wide)
            plot(picture, key="overview", label="The whole batch. Select a place to see it in detail.")
        outlined = _outlines(state, analysis)
        cells = outlined.get(read_widget("outline"), outlined.get(EDITED))
        wide = plot_width("equation", WIDTH)
        figure = equation(analysis, quantity=what, window=window, highlight=cells, theme=theme(), width=wide)
        if not has_number:
            kept = [note for note in figure.layout.annotations if note.name != "divisor" and note.text not in RESULT]
            figure.layout.annotations = kept
        state.cell = plot(figure, key="equation", cell=state.cell, label=_label(analysis))
        _options(outlined)
    time.sleep(HEAD_START)
    return window


def first_picture(batch: Batch) -> None:
    """While TensorFlow loads, show which timesteps count: that needs no loss. Recorded losses need no TensorFlow."""
    if engine_is_ready() or batch.logits is None:
        return
    place = st.empty()
    with place.container():
        plot(mask(batch, theme=theme()), key="first", label="Which timesteps count.", selectable=False)
        load_engine()  # its words lie over what follows them: above the picture they would hide its title
    place.empty()


def edited_cells(source: Source) -> np.ndarray:
    """Where the batch on screen was edited since it came or was repaired, [B, T] bool; a length marks its whole row."""
    cells = np.zeros(source.base.targets.shape, bool)
    for edit in source.differences:
        cells[edit.index[:2]] = True
    return cells


def _scaled(state: State, analysis: Analysis, quantity: str) -> Quantity:
    """The quantity with its colour scale: that of this batch, kept through its edits, where it is stretched."""
    what = QUANTITIES[quantity]
    if not read_widget("lock"):
        state.scale = None
        return what
    if state.scale is None or state.scale[0] != quantity:
        ends = what.stretched(analysis)
        low, high = (10**end if what.logarithmic else end for end in (ends.low, ends.high))
        state.scale = (quantity, low, high)
    return what.locked(*state.scale[1:])


def _outlines(state: State, analysis: Analysis) -> dict[str | None, np.ndarray]:
    """What can be outlined in the picture, by its words."""
    named: dict[str | None, np.ndarray] = {}
    if state.source is not None and state.source.differences:
        named[EDITED] = edited_cells(state.source)
    for problem in analysis.problems:
        if problem.cells.any():
            named[problem.title] = problem.cells
    if named and analysis.is_classifier:  # what is outlined where nothing else is
        named[READ] = analysis.mask
    return named


def _options(outlined: dict[str | None, np.ndarray]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.toggle("Stretch the colours", key="lock", help=STRETCH_HELP, persist_state="session")
        if outlined:
            st.pills("Outline", list(outlined), key="outline", label_visibility="collapsed", help=OUTLINE_HELP)


def _label(analysis: Analysis) -> str:
    rows, timesteps = analysis.batch_loss.shape
    size = f"{rows} sequences, {timesteps} timesteps"
    return f"Batch loss times mask gives unpadded loss: {size}. Arrow keys select a cell."
