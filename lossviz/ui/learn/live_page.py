"""From a step into the app: the live page with the step's batch, settings and cell."""

import streamlit as st

from lossviz.batch import Batch
from lossviz.lessons import STEPS, Screen, Step, batch_named, is_sample
from lossviz.reductions import FLAGS
from lossviz.ui.session.default_reduction import Choices
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import Linked, State, write_widget
from lossviz.ui.shared.loop_options import SETTINGS_OPTIONS
from lossviz.ui.shared.settings_panel import DECLARED
from lossviz.ui.shared.widgets import literal

__all__ = ["arrive", "door_panel", "open_made", "page_named", "put_on_screen"]

LESSON = "lesson"
"""The parameter of an address that says from which step a page was opened."""
TITLES = {
    "explore": "Explore",
    "doctor": "Doctor",
    "reductions": "Reductions",
    "identify": "Identify",
    "learn": "Learn",
    "train": "Train",
}


def door_panel(step: Step) -> None:
    """Draw the link that opens the live page with this batch."""
    title = TITLES[step.door.page]
    with st.container(key="learn_door", horizontal=True, vertical_alignment="center"):
        st.page_link(
            page_named(step.door.page),
            label=f"Open in {title}",
            icon=":material/open_in_new:",
            query_params={"act": str(step.door.act)} if step.door.act else {LESSON: step.id},
        )
        st.caption(literal(step.door.words))


def arrive(state: State) -> None:
    """On a page that a step's link opened, put the step's batch on the screen, once."""
    name = st.query_params.pop(LESSON, "")
    if name in STEPS:
        put_on_screen(state, STEPS[name].screen, printed=STEPS[name].door.printed)


def put_on_screen(state: State, screen: Screen, *, printed: str = "") -> None:
    """Make a screen's batch, mask and reduction those of the app, with its cell selected."""
    if is_sample(screen.batch):
        where = "sample", screen.batch
        write_widget("door", "Sample")
        write_widget("sample", screen.batch)
    else:
        batch = batch_named(screen.batch)
        where = _opened(state, batch.title or screen.batch, batch)
    if where != state.opening.batch:
        state.opening.linked = frozenset(Choices._fields)
    write_widget("mask", screen.settings.mask or DECLARED)
    write_widget("reduction", screen.settings.reduction)
    for flag in FLAGS:
        write_widget(f"flag_{flag}", getattr(screen.settings, flag))
    for option in SETTINGS_OPTIONS:
        write_widget(option.name, getattr(screen.settings, option.name))
    if state.source is not None and (state.source.door, state.source.name) == where:
        state.cell = screen.cell
        if printed:
            state.source.tell(printed)
    else:
        state.linked = Linked(where, screen.cell, (), printed)


def open_made(state: State, name: str, batch: Batch, cell: tuple[int, int] | None) -> None:
    """Put a batch that was made on the screen, under a name, with a cell selected."""
    where = _opened(state, name, batch)
    if state.source is not None and (state.source.door, state.source.name) == where:
        state.cell = cell
    else:
        state.linked = Linked(where, cell, ())


def _opened(state: State, name: str, batch: Batch) -> tuple[str, str]:
    """Keep a batch among those that were opened, as the newest; returns where."""
    where = "file", name
    known = state.known(*where) or Source(*where, batch)
    state.sources.pop(where, None)
    state.sources[where] = known
    state.opened += 1
    write_widget("door", "Open")
    return where


def page_named(name: str) -> st.Page:
    """A page of the app by its address; Streamlit knows a page by that, and the first one by having none."""
    if name == "explore":
        return st.Page(_nothing, title=TITLES[name], default=True)
    return st.Page(_nothing, title=TITLES[name], url_path=name)


def _nothing() -> None:
    """Stand for the page, which the navigation draws."""
