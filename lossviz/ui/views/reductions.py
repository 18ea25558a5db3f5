"""Reductions: which number would each library print?"""

import streamlit as st

from lossviz.ui.equation import first_picture
from lossviz.ui.link import remember
from lossviz.ui.number import numbers_panel
from lossviz.ui.state import State, get_state
from lossviz.ui.work import analyzed, stopped

__all__ = ["reductions"]


def reductions() -> None:
    """Draw the page."""
    state = get_state()
    if state.source is None:
        st.info("Choose a sample, open a file, or type sequences in the sidebar.")
        return
    with st.container():
        first_picture(state.source.current)
    _page(state)


@st.fragment
def _page(state: State) -> None:
    if stopped(state):
        return
    analysis, refusal = analyzed(state)
    numbers_panel(analysis, refusal)
    remember(state)
