"""The frame around the pages, drawn before anything else is imported."""

import gc
from functools import cache
from pathlib import Path

import streamlit as st

__all__ = ["run"]

HERE = Path(__file__).parent


def run() -> None:
    """Draw the app: first its name, which needs Streamlit only, then the rest."""
    st.set_page_config(page_title="lossviz", page_icon=str(HERE / "icon.png"), layout="wide")
    st.html(HERE / "frame.css")
    st.sidebar.markdown("**lossviz** · which timesteps make up your loss?")
    # Plotly, pandas and the figures take a second to import: what is drawn so far is on the screen by then.
    from lossviz.ui.pages import show_page
    from lossviz.ui.session.waiting import keep_what_waits

    _settle()
    keep_what_waits()
    show_page()


@cache
def _settle() -> None:
    """Hide what was imported from the garbage collector: Streamlit collects after every run, for 0.1 s each time."""
    gc.freeze()
