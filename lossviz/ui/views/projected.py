"""Explore in projector mode: the equation, one stage at a time."""

import streamlit as st

from lossviz.ui.explore.stages_panel import stages_panel
from lossviz.ui.link import remember
from lossviz.ui.session.state import State
from lossviz.ui.shared.computation import stopped
from lossviz.ui.shared.page import analysis_on_screen

__all__ = ["projected"]


@st.fragment
def projected(state: State) -> None:
    """Draw the page; a step on or back draws it again without the sidebar."""
    if not stopped(state):
        stages_panel(state, *analysis_on_screen(state))
        remember(state)
