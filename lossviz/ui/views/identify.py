"""Identify: what is my loop printing?"""

import streamlit as st

from lossviz.ui.identify.answer_panel import answer_panel
from lossviz.ui.identify.reported_panel import question_panel
from lossviz.ui.link import remember
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.computation import stopped
from lossviz.ui.shared.findings_badge import badge
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.page import analysis_on_screen, has_batch
from lossviz.ui.shared.widgets import kept_apart

__all__ = ["identify"]


def identify() -> None:
    """Draw the page."""
    state = get_state()
    if not has_batch(state) or stopped(state):
        return
    question = question_panel(state)
    analysis, _ = analysis_on_screen(state)
    with st.container(key="doctor_badge", horizontal=True, vertical_alignment="center"), kept_apart("The badge"):
        badge(analysis)
    with kept_apart("The answer"):
        answer_panel(state, analysis, question)
    learn_links("divisor", "per-sequence loss")
    remember(state)
