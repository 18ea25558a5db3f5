"""The code that reproduces the number on the page, in each library."""

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.errors import LossvizError
from lossviz.reproduce import FILE, LIBRARIES, code, needs_file
from lossviz.ui.session.link_checks import Links, is_flag
from lossviz.ui.shared.widgets import say

__all__ = ["LINKED", "script_panel"]

LINKED: Links = {"code": is_flag}


def script_panel(analysis: Analysis, *, has_number: bool) -> None:
    """Draw one tab a library."""
    with st.expander("Code that reproduces this number", key="code", on_change="rerun") as panel:
        if not panel.open:
            return
        if not has_number:
            st.caption("There is no number to reproduce: choose a reduction that has one.")
            return
        if needs_file(analysis):
            st.caption(f"It reads `{FILE}`: download the batch as NPZ above and put it beside the script.")
        for tab, library in zip(st.tabs([library.title for library in LIBRARIES]), LIBRARIES, strict=True):
            with tab:
                _script(analysis, library.name)


def _script(analysis: Analysis, library: str) -> None:
    try:
        st.code(code(analysis, library), language="python")
    except LossvizError as error:
        say("info", str(error))
