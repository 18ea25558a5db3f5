"""Learn: what is a sequence loss made of? Five chapters, a question before every picture."""

from pathlib import Path

import streamlit as st

from lossviz.ui.learn.address import step_bar
from lossviz.ui.learn.code_panel import code_panel
from lossviz.ui.learn.live_page import door_panel
from lossviz.ui.learn.memory import memory
from lossviz.ui.learn.outcome_panel import outcome_panel
from lossviz.ui.learn.picture_panel import picture_after, picture_before
from lossviz.ui.learn.question_panel import HEADING, announced, ask_panel, feedback_panel, question_panel
from lossviz.ui.learn.step_buttons import step_buttons
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.computation import load_engine

__all__ = ["learn"]

CSS = Path(__file__).parents[1] / "learn" / "learn.css"


def learn() -> None:
    """Draw the page."""
    state = get_state()
    st.html(CSS)
    step = step_bar(state)
    load_engine()
    question, picture = st.columns([1, 1.4], gap="medium")
    committed = state.learning.of(step.id).is_committed
    with question:
        question_panel(step)
        ask_panel(state, step)
        feedback_panel(state, step)
    with picture, st.container(key=f"learn_picture_{'after' if committed else 'before'}"):
        (picture_after if committed else picture_before)(state, step)
        outcome_panel(state, step)
    with st.container():
        if committed:
            code_panel(step)
            door_panel(step)
    step_buttons(state, step)
    memory(state, heading=HEADING, announced=announced(step))
