"""The sidebar and the page that is chosen: everything that needs more than Streamlit."""

import streamlit as st

from lossviz.ui.around.address import address_buttons
from lossviz.ui.around.glossary_panel import glossary_panel
from lossviz.ui.around.projector import is_projecting, leave_button, projector_switch, use_projector
from lossviz.ui.around.semantics import heading, semantics
from lossviz.ui.learn.live_page import arrive
from lossviz.ui.link import restore
from lossviz.ui.linked import CHOICES
from lossviz.ui.session.state import get_state
from lossviz.ui.session.waiting import on_every_page
from lossviz.ui.shared.settings_panel import choose_settings
from lossviz.ui.sources.batch_picker import doors
from lossviz.ui.train.door import arrive_at_frame
from lossviz.ui.views import LEARN, VIEWS, View

__all__ = ["show_page"]


def show_page() -> None:
    """Draw the pages, the batch picker and the settings in the sidebar, and the page of the address."""
    state = get_state()
    restore(state, CHOICES)
    arrive(state)
    arrive_at_frame(state)
    pages = {_page(view): view for view in VIEWS}
    groups = {view.group: [page for page, other in pages.items() if other.group == view.group] for view in VIEWS}
    page = st.navigation(groups)
    use_projector()
    with on_every_page(), st.sidebar:
        if pages[page].group != LEARN:
            with st.container(key="explore_source"):
                doors(state)
            choose_settings(state)
            pages[page].choose()
            address_buttons()
        with st.container(horizontal=True, vertical_alignment="center"):
            projector_switch(state)
            glossary_panel()
        semantics()
    state.entered, state.page = state.page != pages[page].name, pages[page].name
    heading(pages[page].title, pages[page].question)
    page.run()
    if is_projecting():
        leave_button()
    pages[page].after()


def _page(view: View) -> st.Page:
    return st.Page(view.show, title=view.title, url_path=view.name, help=view.question, default=view is VIEWS[0])
