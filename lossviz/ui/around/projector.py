"""Projector mode: words, numbers and figures as large as the window allows, on every page; one switch, in the link."""

from functools import partial
from pathlib import Path

import streamlit as st

from lossviz.ui.session.link_checks import Links, is_flag
from lossviz.ui.session.state import State, read_widget, write_widget

__all__ = ["LINKED", "PROJECTOR", "is_projecting", "leave_button", "projector_switch", "use_projector"]

PROJECTOR = "projector"
LINKED: Links = {PROJECTOR: is_flag}
CSS = Path(__file__).parent / "projector.css"


def is_projecting() -> bool:
    """Whether projector mode is on."""
    return bool(read_widget(PROJECTOR))


def projector_switch(state: State) -> None:
    """Draw the switch, which a button of the page turns off, too."""
    editor = state.choice(PROJECTOR, False)
    st.toggle(
        "Projector mode",
        bool(editor.shown[PROJECTOR]),
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        help="All grows with the window, and Explore shows one stage of the equation at a time, its number last.",
    )
    state.take_reconnected(editor)


def use_projector() -> None:
    """Where the mode is on, enlarge the page and fold the sidebar, which stays one click away."""
    if is_projecting():
        st.html(CSS)
    st.set_page_config(initial_sidebar_state="collapsed" if is_projecting() else "auto")


def leave_button() -> None:
    """Draw the button that ends the mode."""
    with st.container(key="projector_leave"):
        leave = partial(write_widget, PROJECTOR, False)
        st.button("Leave projector mode", key="leave_projector", type="tertiary", on_click=leave)
