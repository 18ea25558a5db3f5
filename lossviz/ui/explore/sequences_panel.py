"""The sequences: what each adds to the number, its length to edit, and what differs from the source, to undo."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.tables import sequences_table
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State
from lossviz.ui.shared.edit_history import change_steps, draw_entries, save_table
from lossviz.ui.shared.widgets import literal

__all__ = ["rows_panel"]


def rows_panel(state: State, analysis: Analysis) -> None:
    """Draw the table of sequences and the edits made so far."""
    # A closed panel draws nothing: every element on the page makes every edit a little slower.
    with st.expander("Sequences and their lengths", key="rows", on_change="rerun") as panel:
        if panel.open:
            _table(state, analysis)
    if state.source is not None and (state.source.steps or state.source.undone):
        _history(state, state.source)


def _table(state: State, analysis: Analysis) -> None:
    table = sequences_table(analysis)
    entries = [("lengths", (row,)) for row in range(len(table))] if "length" in table else []
    editor = draw_entries(state, "lengths", entries)
    st.data_editor(
        table,
        key=editor.key,
        hide_index=True,
        disabled=[name for name in table.columns if name != "length"],
        on_change=partial(save_table, state, editor, "length"),
        column_config={"length": st.column_config.NumberColumn(help="Edit: how many timesteps of it count.")},
    )


def _history(state: State, source: Source) -> None:
    with st.container(key="edits", horizontal=True, vertical_alignment="center"):
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
