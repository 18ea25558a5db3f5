"""How every page begins: with a batch, with what can be seen before TensorFlow is there, with the analysis."""

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.ui.session.state import State
from lossviz.ui.shared.computation import analyzed
from lossviz.ui.shared.equation import first_picture

__all__ = ["analysis_on_screen", "has_batch"]


def has_batch(state: State) -> bool:
    """Whether there is a batch on screen; if not, says what to do; shows its mask until TensorFlow is there."""
    if state.source is None:
        st.info("Choose a sample, open a file, or type sequences in the sidebar.")
        return False
    # Wrap optional elements in a permanent container; otherwise Streamlit re-creates what follows, without its zoom.
    with st.container(key="first_picture"):
        first_picture(state.source.current)
    return True


def analysis_on_screen(state: State) -> tuple[Analysis, str]:
    """The analysis of the batch on screen, and why the chosen reduction has no number, or ""."""
    waiting = st.empty()
    with waiting.container():
        analysis, refusal = analyzed(state)
    waiting.empty()
    return analysis, refusal
