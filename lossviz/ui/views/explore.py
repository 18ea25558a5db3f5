"""Explore: which timesteps make up my number, and what was it divided by?"""

import streamlit as st

from lossviz.ui.around.projector import is_projecting
from lossviz.ui.explore.cell_panel import cell_panel
from lossviz.ui.explore.mask_panel import mask_panel
from lossviz.ui.explore.picture_panel import picture_panel
from lossviz.ui.explore.sequences_panel import rows_panel
from lossviz.ui.link import remember
from lossviz.ui.session.state import State, get_state
from lossviz.ui.shared.computation import stopped
from lossviz.ui.shared.downloads_panel import save_panel
from lossviz.ui.shared.findings_badge import badge
from lossviz.ui.shared.headline_panel import numbers_panel, problems_panel, refusal_panel
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.page import analysis_on_screen, has_batch
from lossviz.ui.shared.script_panel import script_panel
from lossviz.ui.shared.settings_panel import chosen_quantity
from lossviz.ui.shared.widgets import kept_apart
from lossviz.ui.views.projected import projected

__all__ = ["explore"]


def explore() -> None:
    """Draw the page."""
    state = get_state()
    if has_batch(state):
        (projected if is_projecting() else _page)(state)


@st.fragment
def _page(state: State) -> None:
    """All that an edit changes: it is drawn again without the sidebar, unless that shows what was changed."""
    if stopped(state):
        return
    if state.source is not None and state.source.current.declared_mask != state.declared:
        st.rerun()
    analysis, refusal = analysis_on_screen(state)
    doctor = numbers_panel(analysis, refusal)
    window = picture_panel(state, analysis, has_number=not refusal)
    with kept_apart("The badge"), doctor:
        badge(analysis)
    with st.container():
        with kept_apart("What is wrong"):
            problems_panel(analysis)
        refusal_panel(state)
    with kept_apart("The selected cell"):
        cell_panel(state, analysis)
    with kept_apart("The sequences"):
        rows_panel(state, analysis)
    with kept_apart("The mask"):
        mask_panel(analysis)
    with kept_apart("What can be saved"):
        save_panel(state, analysis, chosen_quantity(), window)
    with kept_apart("The code"):
        script_panel(analysis, has_number=not refusal)
    learn_links("mask", "padding", "divisor", "perplexity", reduction=analysis.settings.reduction)
    remember(state)
