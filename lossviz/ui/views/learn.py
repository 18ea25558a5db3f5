"""Learn: what is a sequence loss made of? Five chapters, a question before every picture."""

from pathlib import Path

import streamlit as st

from lossviz.ui.learn.address import enter, mirror, step_bar
from lossviz.ui.learn.question_panel import HEADING, announced
from lossviz.ui.learn.step_panel import step_panel
from lossviz.ui.learn.teacher_panel import teacher_panel
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.computation import load_engine
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.memory import memory

__all__ = ["learn"]

STORE = "lossviz.learn.1"
HERE = Path(__file__).parents[1] / "learn"
CSS, DARK_CSS, TEACHER_CSS = HERE / "learn.css", HERE / "dark.css", HERE / "teacher.css"


def learn() -> None:
    """Draw the page."""
    state = get_state()
    st.html(CSS)
    if theme() == "dark":
        st.html(DARK_CSS)
    if state.entered:
        enter(state)
    if state.learning.teaching:
        st.html(TEACHER_CSS)
        load_engine()
        step = teacher_panel(state)
    else:
        step = step_bar(state)
        load_engine()
        step_panel(state, step)
    title = f"{step.id} {step.title}"
    memory(state.learning, STORE, heading=HEADING, title=title, announced=announced(step))
    mirror(state)
