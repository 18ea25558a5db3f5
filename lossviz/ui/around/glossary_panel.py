"""The words of the pages, one click away from each of them."""

import streamlit as st

from lossviz.glossary import GLOSSARY
from lossviz.ui.shared.widgets import literal

__all__ = ["glossary_panel"]


def glossary_panel() -> None:
    """Draw the button; what it opens is drawn when it is open."""
    with st.popover(
        "Words", key="words", on_change="rerun", help="What nats, share, counts and the others mean."
    ) as panel:
        if panel.open:
            st.markdown("\n".join(f"- **{literal(word)}**: {literal(meaning)}" for word, meaning in GLOSSARY.items()))
