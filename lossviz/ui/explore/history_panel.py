"""What differs from the source, and the buttons that take it back: where the hand is, under the picture."""

from functools import partial

import streamlit as st

from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State
from lossviz.ui.shared.edit_history import change_steps
from lossviz.ui.shared.widgets import literal

__all__ = ["history_panel"]


def history_panel(state: State) -> None:
    """Draw the edits made so far; nothing before the first."""
    source = state.source
    if source is None or not (source.steps or source.undone):
        return
    with st.container(key="edits", horizontal=True, vertical_alignment="center", width="content"):
        count = len(source.differences)
        repaired = ", ".join(repair.code for repair in source.repairs)
        since = f"since the repair of {repaired}" if repaired else "from the source"
        st.markdown(f"**{count} {'entry differs' if count == 1 else 'entries differ'} {since}**")
        history = state.editors.draw("history", source, {})
        for key, label, words, possible, step in (
            ("undo", "Undo", "Take the last edit back.", source.steps, Source.undo),
            ("redo", "Redo", "Make it again.", source.undone, Source.redo),
            ("reset", "As it came", "Take every edit back.", source.steps, Source.reset),
        ):
            change = partial(change_steps, state, source, step)
            # The key belongs to this batch, so that a late click undoes nothing in the next one.
            st.button(label, key=f"{history.key}:{key}", help=words, disabled=not possible, on_click=change)
        with st.popover("What differs", disabled=not count):
            for edit in source.differences[:100]:
                st.markdown(literal(f"{edit}, was {source.was(edit)}"))
