"""The logits of the selected timestep, to edit: all of them, or of a large vocabulary the ones that matter."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.tables import cell_table
from lossviz.ui.explore.hand import NO_LOGIT
from lossviz.ui.session.state import State
from lossviz.ui.shared.edit_history import draw_entries, save_table

__all__ = ["ALL_CLASSES", "logits_editor"]

ALL_CLASSES = 64  # up to here every class has its row
COLUMNS = ["class", "token", "is_target", "logit", "probability", "gradient"]
SHOWN = {
    "class": st.column_config.NumberColumn(width=60),
    "is_target": st.column_config.CheckboxColumn("target", width=60),
    "probability": st.column_config.ProgressColumn(format="%.4f", min_value=0.0, max_value=1.0),
}


def logits_editor(state: State, analysis: Analysis) -> None:
    """Draw one row per class, in the order of the ids, so that a row stays in place while its logit changes."""
    if state.cell is None:
        return
    if not analysis.has_logits:
        st.caption(NO_LOGIT)
        return
    classes = analysis.batch.shape[2]
    more = list(range(classes)) if classes <= ALL_CLASSES else _another(classes)
    table = cell_table(analysis.explain(*state.cell, classes=more)).sort_values("class")
    if analysis.settings.reduction == "classification":
        # Class 0 of a sigmoid is the constant 0; class 1 has the batch's only logit.
        table = table[table["class"] == 1]
    ids = [0] if analysis.settings.reduction == "classification" else table["class"].tolist()
    editor = draw_entries(state, "logits", [("logits", (*state.cell, one)) for one in ids])
    st.data_editor(
        table[COLUMNS],
        key=editor.key,
        hide_index=True,
        column_config=SHOWN,
        disabled=[name for name in COLUMNS if name != "logit"],
        on_change=partial(save_table, state, editor, "logit"),
        height="content" if len(ids) <= 12 else 440,
    )


def _another(classes: int) -> list[int]:
    label, hint = "Show another class too", f"An id from 0 to {classes - 1}, to see and edit its logit."
    chosen = st.number_input(label, 0, classes - 1, value=None, step=1, key="another_class", help=hint)
    return [] if chosen is None or chosen >= classes else [int(chosen)]
