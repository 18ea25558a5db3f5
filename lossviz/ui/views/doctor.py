"""Doctor: what is wrong with this batch?"""

import streamlit as st

from lossviz.ui.doctor import doctor_panel, repairs_panel
from lossviz.ui.doctor_rules import catalogue_panel, outcomes_panel
from lossviz.ui.equation import first_picture
from lossviz.ui.link import remember
from lossviz.ui.state import get_state
from lossviz.ui.work import analyzed, stopped

__all__ = ["doctor"]


def doctor() -> None:
    """Draw the page."""
    state = get_state()
    if state.source is None:
        st.info("Choose a sample, open a file, or type sequences in the sidebar.")
        return
    with st.container():
        first_picture(state.source.current)
    if stopped(state):
        return
    waiting = st.empty()
    with waiting.container():
        analysis, refusal = analyzed(state)
    waiting.empty()
    repairs_panel(state, analysis)
    diagnosis = doctor_panel(state, analysis, refusal)
    outcomes_panel(diagnosis)
    catalogue_panel(diagnosis)
    remember(state)
