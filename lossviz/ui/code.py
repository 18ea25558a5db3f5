"""The code that reproduces the number on the page, in each library."""

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.reproduce import LIBRARIES, code

__all__ = ["code_panel"]


def code_panel(analysis: Analysis) -> None:
    """Draw one tab a library."""
    with st.expander("Code that reproduces this number", key="code", on_change="rerun") as panel:
        if not panel.open:
            return
        for tab, library in zip(st.tabs([library.title for library in LIBRARIES]), LIBRARIES, strict=True):
            tab.code(code(analysis, library.name), language="python")
