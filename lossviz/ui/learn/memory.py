"""The browser's own memory of the progress, and the voice and the focus of the page; a component without an iframe.

Nothing of Streamlit announces that a page has another step now, and nothing moves the focus there.
"""

from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from lossviz.ui.session.state import State, read_widget, write_widget

__all__ = ["REFUSED", "memory"]

KEY = "learn_memory"
SEEN = "learn_memory:seen"
REFUSED = "This browser keeps nothing for this page: your progress lasts until the tab is closed."
_HERE = Path(__file__).parent


def memory(state: State, *, heading: str, announced: str) -> None:
    """Keep the progress, announce the step, and move the focus to its heading when it changes.

    Args:
        state: whose progress it is.
        heading: the CSS selector of the step's heading.
        announced: what a screen reader says of the step.
    """
    data = {
        "write": state.learning.text(),
        "seen": read_widget(SEEN),
        "heading": heading,
        "announced": announced,
        "step": state.learning.at,
    }
    _component()(key=KEY, data=data, on_stored_change=partial(_merge, state), on_refused_change=_nothing)
    if dict(read_widget(KEY) or {}).get("refused"):
        st.caption(REFUSED)


def _merge(state: State) -> None:
    """Take what the browser kept, and on the first visit the step that was left; a callback."""
    stored = dict(read_widget(KEY) or {}).get("stored")
    text = stored if isinstance(stored, str) else ""
    write_widget(SEEN, text)
    state.learning.merge(text)


def _nothing() -> None:
    """Stand for a callback: a component keeps only the values that have one."""


@cache
def _component() -> Any:
    html = '<div class="lossviz-memory" aria-live="polite" role="status"></div>'
    css = ".lossviz-memory { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }"
    js = (_HERE / "memory.js").read_text("utf-8")
    return st.components.v2.component("lossviz.memory", html=html, css=css, js=js)
