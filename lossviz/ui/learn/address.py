"""Which step is on the screen: `/learn?chapter=2&step=3`, `&teacher=1` for a class. The step bar is the address.

The server keeps the place and writes it into the address. It reads it there only when the page is entered: a browser
that is a moment behind sends the old address along with whatever it reports, and would turn the page back.
"""

import re
from functools import partial

import streamlit as st

from lossviz.lessons import CHAPTERS, RIGHT, SHOWN, STEPS, Step, step_named
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.state import State, read_widget

__all__ = ["MARKS", "STOPS", "enter", "go_to", "mirror", "next_step", "place_of", "previous_step", "step_bar", "teach"]

CHAPTER, STEP, TEACHER, STOP, VOTES = "chapter", "step", "teacher", "stop", "votes"
MARKS = {RIGHT: "●", SHOWN: "◐"}
STOPS = ("Question", "Options", "Result", "Why")
"""Where the teacher's view stops in each step."""
ORDER = list(STEPS)


def enter(state: State) -> None:
    """Take the place from the address when the page is entered; a place that does not exist is the first one."""
    progress, asked = state.learning, st.query_params
    if CHAPTER in asked or STEP in asked:
        name = f"{asked.get(CHAPTER, '1')}.{asked.get(STEP, '1')}"
        first = f"{asked.get(CHAPTER, '1')}.1"
        progress.at = name if name in STEPS else first if first in STEPS else ORDER[0]
        progress.placed = True
    progress.at = progress.at or ORDER[0]
    progress.teaching = asked.get(TEACHER) == "1"
    progress.stop = int(asked.get(STOP, "0")) if asked.get(STOP) in ("1", "2", "3") else 0
    votes = asked.get(VOTES, "")
    if re.fullmatch(r"[0-9]{1,3}(-[0-9]{1,3}){1,9}", votes):
        progress.votes[progress.at] = [int(word) for word in votes.split("-")]


def mirror(state: State) -> None:
    """Write the place into the address."""
    progress, step = state.learning, step_named(state.learning.at)
    votes = progress.votes.get(step.id, ())
    wanted = {CHAPTER: str(step.chapter), STEP: str(step.place)}
    if progress.teaching:
        wanted |= {TEACHER: "1", STOP: str(progress.stop)}
        wanted |= {VOTES: "-".join(map(str, votes))} if any(votes) else {}
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def step_bar(state: State, *, marks: bool = True) -> Step:
    """Draw the chapters and the steps of one of them, with what became of them; returns the step that is chosen."""
    progress, step = state.learning, step_named(state.learning.at)
    chapter = CHAPTERS[step.chapter - 1]
    left, right = st.columns([1, 1.7], vertical_alignment="bottom")
    with left:
        editor = state.editors.draw(CHAPTER, None, {CHAPTER: str(step.chapter)})
        numbers = [str(one.number) for one in CHAPTERS]
        choose = partial(_choose, state, editor, CHAPTER)
        st.segmented_control(
            "Chapter", numbers, default=str(step.chapter), required=True, key=editor.key, on_change=choose
        )
    with right:
        editor = state.editors.draw(STEP, step.chapter, {STEP: step.place})
        choose = partial(_choose, state, editor, STEP)
        st.pagination(
            len(chapter.steps), default=editor.shown[STEP], key=editor.key, max_visible_pages=None, on_change=choose
        )
    if not marks:
        return step
    done = " ".join(f"{one.place} {MARKS.get(progress.best(one.id).state, '○')}" for one in chapter.steps)
    st.caption(f"**{chapter.title}**   ·   {done}   ·   ● right  ◐ shown  ○ open")
    return step


def place_of(step: Step) -> str:
    """Where a step stands, in words."""
    chapter = CHAPTERS[step.chapter - 1]
    return f"Chapter {step.chapter}, step {step.place} of {len(chapter.steps)}"


def go_to(state: State, step: Step, stop: int = 0) -> None:
    """Make a step the one on the screen; a callback."""
    state.learning.at, state.learning.stop, state.learning.placed = step.id, stop, True


def next_step(step: Step) -> Step | None:
    """The step after it, of the next chapter if need be; None after the last one."""
    after = ORDER[ORDER.index(step.id) + 1 :]
    return step_named(after[0]) if after else None


def previous_step(step: Step) -> Step | None:
    """The step before it; None before the first one."""
    before = ORDER[: ORDER.index(step.id)]
    return step_named(before[-1]) if before else None


def teach(state: State, on: bool) -> None:
    """Open or leave the teacher's view; a callback."""
    state.learning.teaching, state.learning.stop = on, 0


def _choose(state: State, editor: Editor, name: str) -> None:
    """Follow what was chosen in the bar; what a bar says that is no longer there, is not heard."""
    value = read_widget(editor.key)
    if value is None or not editor.is_typed(name, value):
        return
    editor.held[name] = value
    chapter = CHAPTERS[int(value if name == CHAPTER else editor.target) - 1]
    go_to(state, chapter.steps[0 if name == CHAPTER else min(int(value), len(chapter.steps)) - 1])
