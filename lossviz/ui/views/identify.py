"""Identify: what is my loop printing?"""

import streamlit as st

from lossviz.ui.doctor_badge import badge
from lossviz.ui.equation import first_picture
from lossviz.ui.identify import question_panel
from lossviz.ui.identify_answer import answer_panel
from lossviz.ui.link import remember
from lossviz.ui.state import get_state
from lossviz.ui.work import analyzed, stopped

__all__ = ["identify"]


def identify() -> None:
    """Draw the page."""
    state = get_state()
    if state.source is None:
        st.info("Choose a sample, open a file, or type sequences in the sidebar.")
        return
    with st.container():
        first_picture(state.source.current)
    if stopped(state):
        return
    question = question_panel(state)
    waiting = st.empty()
    with waiting.container():
        analysis, _ = analyzed(state)
    waiting.empty()
    with st.container(key="doctor_badge", horizontal=True, vertical_alignment="center"):
        badge(analysis)
    answer_panel(state, analysis, question)
    remember(state)
