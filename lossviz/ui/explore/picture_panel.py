"""The picture of Explore, which can be edited in itself, and what stands under it."""

from functools import partial
from typing import Any

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.ui.explore.hand import hand_of, take_steps
from lossviz.ui.explore.history_panel import history_panel
from lossviz.ui.explore.terms import terms_of
from lossviz.ui.session.state import State
from lossviz.ui.shared.equation import KEY, Window, equation_panel
from lossviz.ui.shared.settings_panel import chosen_quantity
from lossviz.ui.shared.widgets import kept_apart

__all__ = ["picture_panel"]


def picture_panel(state: State, analysis: Analysis, *, has_number: bool) -> Window | None:
    """Draw the equation with its options and its edits; returns the part that is shown, None for all."""
    quantity, window = chosen_quantity(), None
    picture, under = st.container(), st.container(horizontal=True, vertical_alignment="center")
    with kept_apart("The picture"), picture:
        window = equation_panel(
            state,
            analysis,
            quantity,
            under,
            has_number=has_number,
            live=partial(hand_of, state, analysis, quantity),
            terms=partial(_terms, state, analysis, has_number=has_number),
            on_event=partial(take_steps, state, KEY),
        )
    with under:  # even where the picture can't be drawn: Undo takes back what it can't draw
        history_panel(state)
    return window


def _terms(state: State, analysis: Analysis, *, has_number: bool) -> dict[str, Any] | None:
    rows, timesteps = analysis.batch_loss.shape
    if state.cell is None or state.cell[0] >= rows or state.cell[1] >= timesteps:
        return None
    try:
        return terms_of(analysis.explain(*state.cell), has_number=has_number)
    except InputError:  # a file that changed on disk: the panel of the cell says so, and the picture is still valid
        return None
