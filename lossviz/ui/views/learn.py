"""Learn: what is a sequence loss made of? Five chapters, a question before every picture."""

from pathlib import Path

import streamlit as st

from lossviz.lessons import Fill, Step
from lossviz.ui.learn.address import enter, mirror, step_bar
from lossviz.ui.learn.code_panel import code_panel
from lossviz.ui.learn.live_page import door_panel
from lossviz.ui.learn.memory import memory
from lossviz.ui.learn.outcome_panel import outcome_panel
from lossviz.ui.learn.picture_panel import keep_selection, picture_after, picture_before
from lossviz.ui.learn.question_panel import HEADING, announced, ask_panel, feedback_panel, question_panel
from lossviz.ui.learn.step_buttons import step_buttons
from lossviz.ui.learn.teacher_panel import teacher_panel
from lossviz.ui.session.state import State, get_state
from lossviz.ui.shared.computation import load_engine
from lossviz.ui.shared.equation import theme

__all__ = ["learn"]

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
        _step(state, step)
    memory(state, heading=HEADING, announced=announced(step))
    mirror(state)


def _step(state: State, step: Step) -> None:
    keep_selection(state, step)
    committed = state.learning.of(step.id).is_committed
    writes = any(isinstance(ask, Fill) for ask in step.asks)
    question, picture = st.columns([1.3, 1] if writes else [1, 1.4], gap="medium")
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
