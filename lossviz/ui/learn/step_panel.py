"""A step for a reader: question and answers on the left, the picture on the right, then the code and the door."""

import streamlit as st

from lossviz.lessons import Fill, Step
from lossviz.ui.learn.code_panel import code_panel
from lossviz.ui.learn.live_page import door_panel
from lossviz.ui.learn.outcome_panel import outcome_panel
from lossviz.ui.learn.picture_panel import keep_selection, picture_after, picture_before
from lossviz.ui.learn.question_panel import ask_panel, feedback_panel, question_panel
from lossviz.ui.learn.step_buttons import recall_panel, step_buttons
from lossviz.ui.session.state import State

__all__ = ["step_panel"]


def step_panel(state: State, step: Step) -> None:
    """Draw the step; what answers it only after the commitment."""
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
            recall_panel(state, step)
    step_buttons(state, step)
