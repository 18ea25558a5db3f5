"""The frame around the pages: page config, batch picker and settings in the sidebar, navigation."""

from pathlib import Path

import streamlit as st

from lossviz.ui.choices import choose_settings
from lossviz.ui.doors import doors
from lossviz.ui.link import restore
from lossviz.ui.state import get_state
from lossviz.ui.views import VIEWS

__all__ = ["run"]

HERE = Path(__file__).parent


def run() -> None:
    """Draw the app."""
    st.set_page_config(page_title="lossviz", page_icon=str(HERE / "icon.png"), layout="wide")
    st.html(HERE / "frame.css")
    state = get_state()
    restore(state)
    page = st.navigation(
        [st.Page(view.show, title=view.title, url_path=view.name, default=view is VIEWS[0]) for view in VIEWS],
        position="hidden" if len(VIEWS) == 1 else "sidebar",
    )
    with st.sidebar:
        with st.container(key="explore_source"):
            doors(state)
        choose_settings(state)
    page.run()
