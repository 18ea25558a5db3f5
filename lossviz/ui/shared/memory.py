"""The browser's memory of what somebody did, and the voice and the focus of the page; a component without an iframe.

Nothing of Streamlit announces that a page has another step now, and nothing moves the focus there.
"""

from functools import cache, partial
from pathlib import Path
from typing import Any

import streamlit as st

from lossviz.lessons import Progress
from lossviz.ui.session.state import read_widget, write_widget

__all__ = ["REFUSED", "memory"]

REFUSED = "This browser keeps nothing for this page: your progress lasts until the tab is closed."
_HERE = Path(__file__).parent


def memory(progress: Progress, store: str, *, heading: str, title: str, announced: str) -> None:
    """Keep the progress, announce the step, and move the focus to its heading when it changes.

    Args:
        progress: what is kept.
        store: its name in the browser's storage.
        heading: the CSS selector of the step's heading.
        title: the text of that heading.
        announced: what a screen reader says of the step.
    """
    key = store.replace(".", "_")
    data = {
        "store": store,
        "write": progress.text(),
        "seen": read_widget(_seen(key)),
        "heading": heading,
        "title": title,
        "announced": announced,
        "step": progress.at,
    }
    _component()(key=key, data=data, on_stored_change=partial(_merge, progress, key), on_refused_change=_nothing)
    if dict(read_widget(key) or {}).get("refused"):
        st.caption(REFUSED)


def _merge(progress: Progress, key: str) -> None:
    """Take what the browser kept, and on the first visit the step that was left; a callback."""
    stored = dict(read_widget(key) or {}).get("stored")
    text = stored if isinstance(stored, str) else ""
    write_widget(_seen(key), text)
    progress.merge(text)


def _seen(key: str) -> str:
    return f"{key}:seen"


def _nothing() -> None:
    """Stand for a callback: a component keeps only the values that have one."""


@cache
def _component() -> Any:
    html = '<div class="lossviz-memory" aria-live="polite" role="status"></div>'
    css = ".lossviz-memory { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }"
    js = (_HERE / "memory.js").read_text("utf-8")
    return st.components.v2.component("lossviz.memory", html=html, css=css, js=js)
