"""The picture: batch loss × mask = unpadded loss; an overview with a detail window where it would not fit."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.figures import QUANTITIES, Quantity, equation, mask, overview, window_outline
from lossviz.ui.session.link_checks import Links, is_flag
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget
from lossviz.ui.shared.computation import engine_is_ready, load_engine
from lossviz.ui.shared.plot import head_start, kept_picture, plot, plot_width, selected_cell
from lossviz.ui.shared.window import needs_window, window_controls

__all__ = ["KEY", "LINKED", "Window", "edited_cells", "equation_panel", "first_picture", "theme", "without_result"]

LINKED: Links = {"lock": is_flag}
Window = tuple[int, int, int, int]
KEY = "equation"  # of the picture

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
    state: State,
    analysis: Analysis,
    quantity: str,
    under: DeltaGenerator,
    *,
    has_number: bool = True,
    live: Callable[[Window | None], dict[str, Any] | None] = lambda _: None,
    terms: Callable[[], dict[str, Any] | None] = lambda: None,
    on_event: Callable[[], None] | None = None,
) -> Window | None:
    """Draw the equation and take the selected cell from it; returns the part that is shown, None for all.

    Args:
        state: whose cell is selected.
        analysis: what is drawn.
        quantity: what the cells show.
        under: where the options stand.
        has_number: where the chosen reduction has none, the line with the divisor and the result is left out.
        live: for the part that is shown, what can be edited in the picture itself, and drawn by it at once.
        terms: the arithmetic of the selected cell.
        on_event: called when the user has done something in the picture.
    """
    with st.container(key="explore_equation"):
        what = _scaled(state, analysis, quantity)
        window = None
        if needs_window(analysis):
            state.jump = selected_cell("overview", None)
            window = window_controls(state, analysis)
            _whole(analysis, what, window)
        outlined = _outlines(state, analysis)
        cells = outlined.get(read_widget("outline"), outlined.get(EDITED))
        wide = plot_width(KEY, WIDTH)
        figure = equation(analysis, quantity=what, window=window, highlight=cells, theme=theme(), width=wide)
        if not has_number:
            figure = without_result(figure)
        state.cell = selected_cell(KEY, state.cell)
        plot(
            figure,
            key=KEY,
            cell=state.cell,
            label=_label(analysis),
            live=live(window),
            terms=terms(),
            on_event=on_event,
        )
    with under:
        _options(outlined)
    head_start()
    return window


def _whole(analysis: Analysis, quantity: Quantity, window: Window) -> None:
    """Draw the overview; where only the window moved, the browser has it already."""
    of = analysis, quantity, theme(), plot_width("overview", WIDTH)
    draw = partial(overview, analysis, quantity=quantity, theme=theme(), width=of[-1])
    outline = window_outline(window, theme=theme())
    label = "The whole batch. Select a place to see it in detail."
    plot(kept_picture("overview", of, draw), key="overview", label=label, shapes=[outline])


def without_result(figure: go.Figure) -> go.Figure:
    """The equation without the line with the divisor and the result: while the reduction is refused there is none."""
    kept = [note for note in figure.layout.annotations if note.name != "divisor" and note.text not in RESULT]
    figure.layout.annotations = kept
    return figure


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
    st.toggle("Stretch the colours", key="lock", help=STRETCH_HELP, persist_state="session")
    if outlined:
        st.pills("Outline", list(outlined), key="outline", label_visibility="collapsed", help=OUTLINE_HELP)


def _label(analysis: Analysis) -> str:
    rows, timesteps = analysis.batch_loss.shape
    size = f"{rows} sequences, {timesteps} timesteps"
    return f"Batch loss times mask gives unpadded loss: {size}. Arrow keys select a cell."
