"""Which step is on the screen: `/learn?chapter=2&step=3`, `&teacher=1` for a class. The step bar is the address."""

import streamlit as st

from lossviz.lessons import CHAPTERS, RIGHT, SHOWN, STEPS, Step, step_named
from lossviz.ui.session.state import State, read_widget, write_widget

__all__ = ["MARKS", "go_to", "is_teaching", "next_step", "place_of", "previous_step", "step_bar", "teach"]

CHAPTER, STEP, TEACHER = "chapter", "step", "teacher"
MARKS = {RIGHT: "●", SHOWN: "◐"}
ORDER = list(STEPS)


def step_bar(state: State) -> Step:
    """Draw the chapters and the steps of one of them; returns the step that is chosen."""
    progress = state.learning
    if read_widget(CHAPTER) is None and not {CHAPTER, STEP} & set(st.query_params) and progress.at:
        go_to(step_named(progress.at))
    # A number that no chapter has, or none: the first one.
    numbers = [str(chapter.number) for chapter in CHAPTERS]
    left, right = st.columns([1, 1.7], vertical_alignment="bottom")
    with left:
        number = st.segmented_control(
            "Chapter", numbers, default="1", required=True, key=CHAPTER, bind="query-params", on_change=_first_step
        )
    chapter = CHAPTERS[int(number or 1) - 1]
    with right:
        # A link may name a step that the chapter lacks.
        if read_widget(STEP) is not None and not 1 <= int(read_widget(STEP)) <= len(chapter.steps):
            write_widget(STEP, 1)
        place = st.pagination(len(chapter.steps), key=STEP, bind="query-params", max_visible_pages=None)
    step = chapter.steps[min(place, len(chapter.steps)) - 1]
    done = " ".join(f"{one.place} {MARKS.get(progress.of(one.id).state, '○')}" for one in chapter.steps)
    st.caption(f"**{chapter.title}**   ·   {done}   ·   ● right  ◐ shown  ○ open")
    progress.at = step.id
    return step


def place_of(step: Step) -> str:
    """Where a step stands, in words."""
    chapter = CHAPTERS[step.chapter - 1]
    return f"Chapter {step.chapter}, step {step.place} of {len(chapter.steps)}"


def go_to(step: Step) -> None:
    """Make a step the one on the screen; a callback, or before the step bar is drawn."""
    write_widget(CHAPTER, str(step.chapter))
    write_widget(STEP, step.place)


def next_step(step: Step) -> Step | None:
    """The step after it, of the next chapter if need be; None after the last one."""
    after = ORDER[ORDER.index(step.id) + 1 :]
    return step_named(after[0]) if after else None


def previous_step(step: Step) -> Step | None:
    """The step before it; None before the first one."""
    before = ORDER[: ORDER.index(step.id)]
    return step_named(before[-1]) if before else None


def is_teaching() -> bool:
    """Whether the page is the teacher's view."""
    return bool(st.query_params.get(TEACHER) == "1")


def teach(on: bool) -> None:
    """Open or leave the teacher's view; a callback."""
    if on:
        st.query_params[TEACHER] = "1"
    else:
        st.query_params.pop(TEACHER, None)


def _first_step() -> None:
    write_widget(STEP, 1)
