"""Back and forth, start over, and the door to the teacher's view."""

from functools import partial

import streamlit as st

from lossviz.lessons import CHAPTERS, Step, step_named
from lossviz.ui.learn.address import go_to, next_step, previous_step, teach
from lossviz.ui.learn.question_panel import ask_again
from lossviz.ui.session.state import State

__all__ = ["recall_panel", "step_buttons"]


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


def recall_panel(state: State, step: Step) -> None:
    """At the end of a chapter, ask three steps of earlier ones again: recalling keeps more than reading does."""
    chapter = CHAPTERS[step.chapter - 1]
    if step is not chapter.steps[-1] or not chapter.recall or not state.learning.of(step.id).is_committed:
        return
    with st.container(key="learn_recall", horizontal=True, vertical_alignment="center"):
        st.markdown("**From memory**, once more:", width="content")
        for name in chapter.recall:
            again = step_named(name)
            label = f"{again.id} {again.title}"
            st.button(label, key=f"learn_recall_{name}", on_click=partial(_recall, state, again))


def _recall(state: State, step: Step) -> None:
    ask_again(state, step)
    go_to(state, step)


def _going(state: State, step: Step | None) -> partial[None] | None:
    return None if step is None else partial(go_to, state, step)
