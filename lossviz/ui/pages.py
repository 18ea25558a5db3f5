"""The sidebar and the page that is chosen: everything that needs more than Streamlit."""

import streamlit as st

from lossviz.ui.choices import choose_settings
from lossviz.ui.doors import doors
from lossviz.ui.link import restore
from lossviz.ui.state import get_state
from lossviz.ui.views import VIEWS

__all__ = ["show_page"]


def show_page() -> None:
    """Draw the batch picker and the settings in the sidebar, and the page of the address."""
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
