"""Reductions: which number would each library print, and what if the batch is cut?"""

import streamlit as st

from lossviz.ui.conventions import conventions_panel
from lossviz.ui.doctor_badge import badge
from lossviz.ui.link import remember
from lossviz.ui.number import numbers_panel
from lossviz.ui.page import analysis_on_screen, has_batch
from lossviz.ui.script import script_panel
from lossviz.ui.split import split_panel
from lossviz.ui.state import get_state
from lossviz.ui.work import stopped

__all__ = ["reductions"]


def reductions() -> None:
    """Draw the page."""
    state = get_state()
    if not has_batch(state) or stopped(state):
        return
    analysis, refusal = analysis_on_screen(state)
    with st.container(), numbers_panel(analysis, refusal):
        badge(analysis)
    if not analysis.weights.size:
        st.info("There is no timestep. Type a sequence, open a file or choose a sample.")
        remember(state)
        return
    conventions_panel(state, analysis)
    split_panel(state, analysis)
    script_panel(analysis, has_number=not refusal)
