"""Back and forth, start over, and the door to the teacher's view."""

from functools import partial

import streamlit as st

from lossviz.lessons import Step
from lossviz.ui.learn.address import go_to, next_step, previous_step, teach
from lossviz.ui.session.state import State

__all__ = ["step_buttons"]


def step_buttons(state: State, step: Step) -> None:
    """Draw the buttons under a step."""
    before, after = previous_step(step), next_step(step)
    with st.container(key="learn_next", horizontal=True, vertical_alignment="center"):
        st.button(
            "Previous",
            key="learn_previous_button",
            shortcut="Alt+P",
            disabled=before is None,
            on_click=_going(state, before),
        )
        st.button(
            "Next",
            key="learn_next_button",
            shortcut="Alt+N",
            type="primary" if state.learning.of(step.id).is_committed else "secondary",
            disabled=after is None,
            on_click=_going(state, after),
        )
        st.space("stretch")
        if state.learning.before is not None:
            st.caption("Everything is open again.", width="content")
            st.button("Undo", key="learn_take_back", type="tertiary", on_click=state.learning.take_back)
        elif state.learning.done:
            st.button("Start over", key="learn_start_over", type="tertiary", on_click=state.learning.start_over)
        st.button("Teacher's view", key="learn_teach", type="tertiary", on_click=partial(teach, state, True))


def _going(state: State, step: Step | None) -> partial[None] | None:
    return None if step is None else partial(go_to, state, step)
