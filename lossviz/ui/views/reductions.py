"""Reductions: which number would each library print, and what if the batch is cut?"""

import streamlit as st

from lossviz.ui.link import remember
from lossviz.ui.reductions.conventions_panel import conventions_panel
from lossviz.ui.reductions.split_panel import split_panel
from lossviz.ui.session.state import get_state
from lossviz.ui.shared.computation import stopped
from lossviz.ui.shared.findings_badge import badge
from lossviz.ui.shared.headline_panel import numbers_panel
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.page import analysis_on_screen, has_batch
from lossviz.ui.shared.script_panel import script_panel
from lossviz.ui.shared.widgets import kept_apart

__all__ = ["reductions"]


def reductions() -> None:
    """Draw the page."""
    state = get_state()
    if not has_batch(state) or stopped(state):
        return
    analysis, refusal = analysis_on_screen(state)
    with kept_apart("The badge"), st.container(), numbers_panel(analysis, refusal):
        badge(analysis)
    if not analysis.weights.size:
        st.info("There is no timestep. Type a sequence, open a file or choose a sample.")
        remember(state)
        return
    with kept_apart("The comparison"):
        conventions_panel(state, analysis)
    with kept_apart("The simulator"):
        split_panel(state, analysis)
    with kept_apart("The code"):
        script_panel(analysis, has_number=not refusal)
    learn_links("divisor", "per-sequence loss", "micro-batches")
