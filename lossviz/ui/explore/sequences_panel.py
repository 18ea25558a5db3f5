"""The sequences: what each adds to the number, and its length to edit."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.tables import sequences_table
from lossviz.ui.session.link_checks import Links, is_flag
from lossviz.ui.session.state import State
from lossviz.ui.shared.edit_history import draw_entries, save_table

__all__ = ["LINKED", "rows_panel"]

LINKED: Links = {"rows": is_flag}


def rows_panel(state: State, analysis: Analysis) -> None:
    """Draw the table of sequences."""
    # A closed panel draws nothing: every element on the page makes every edit a little slower.
    with st.expander("Sequences and their lengths", key="rows", on_change="rerun") as panel:
        if panel.open:
            _table(state, analysis)


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
