"""The words of the pages, one click away from each of them."""

import streamlit as st

from lossviz.glossary import GLOSSARY
from lossviz.ui.shared.widgets import literal

__all__ = ["glossary_panel"]


def glossary_panel() -> None:
    """Draw the button that opens the words over the page."""
    if st.button("Words", key="words", help="What nats, share, counts and the others mean."):
        _words()


@st.dialog("Words", width="medium")
def _words() -> None:
    st.markdown("\n".join(f"- **{literal(word)}**: {literal(meaning)}" for word, meaning in GLOSSARY.items()))
