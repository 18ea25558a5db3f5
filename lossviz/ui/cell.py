"""The selected timestep: its arithmetic line by line, its classes, and its entries to edit."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.edits import Edit
from lossviz.explanation import Explanation
from lossviz.figures import class_bars
from lossviz.tables import cell_table
from lossviz.ui.editing import make_edits
from lossviz.ui.equation import theme
from lossviz.ui.plot import plot
from lossviz.ui.state import State, read_widget
from lossviz.ui.widgets import literal, say

__all__ = ["cell_panel"]

SELECTABLE_CLASSES = 1000  # a longer list of tokens is typed as an id


def cell_panel(state: State, analysis: Analysis) -> None:
    """Draw the selected cell, or say how to select one."""
    with st.container(key="explore_cell", border=True):
        rows, timesteps = analysis.batch_loss.shape
        if state.cell is None or state.cell[0] >= rows or state.cell[1] >= timesteps:
            st.caption("Select a cell above, by mouse or with the arrow keys, to see its arithmetic and to edit it.")
            return
        explanation = analysis.explain(*state.cell)
        st.markdown(f"**Sequence {state.cell[0]}, timestep {state.cell[1]}: target {literal(explanation.token[:80])}**")
        if explanation.note:
            say("warning", explanation.note)
        left, right = st.columns([1.2, 1])
        with left:
            st.latex(explanation.latex)
        with right:
            plot(class_bars(explanation, theme=theme()), key="classes", label="Top classes", selectable=False)
        _editors(state, analysis, explanation)


def _editors(state: State, analysis: Analysis, explanation: Explanation) -> None:
    target, weight, logits = st.columns([1, 1, 2.4])
    with target:
        _target(state, analysis, explanation)
    with weight:
        key = f"weight_{state.cell}_{state.editors}"
        save = partial(_save_widget, state, "weights", key)
        st.number_input(
            "Weight",
            value=explanation.weight,
            step=1.0,
            key=key,
            on_change=save,
            help="0: this timestep does not count.",
        )
    with logits:
        table = cell_table(explanation)
        key = f"logits_{state.cell}_{state.editors}"
        ids = [step.class_id for step in explanation.classes]
        st.data_editor(
            table,
            key=key,
            hide_index=True,
            disabled=[name for name in table.columns if name != "logit"],
            on_change=partial(_save_logits, state, key, ids),
            height="content",
        )


def _target(state: State, analysis: Analysis, explanation: Explanation) -> None:
    key = f"target_{state.cell}_{state.editors}"
    save = partial(_save_widget, state, "targets", key)
    classes = analysis.batch.shape[2]
    if analysis.batch.vocabulary is not None and classes <= SELECTABLE_CLASSES and 0 <= explanation.target < classes:
        st.selectbox(
            "Target",
            range(classes),
            index=explanation.target,
            format_func=lambda v: f"{analysis.batch.token(v)[:80]} ({v})",
            key=key,
            on_change=save,
            help="The class that this timestep should predict.",
        )
    else:
        st.number_input("Target", value=explanation.target, step=1, key=key, on_change=save, help="A class id.")


def _save_widget(state: State, field: str, key: str) -> None:
    if state.cell is not None and read_widget(key) is not None:
        make_edits(state, [Edit(field, state.cell, float(read_widget(key)))])


def _save_logits(state: State, key: str, ids: list[int]) -> None:
    changed = read_widget(key, {}).get("edited_rows", {})
    if state.cell is not None:
        # The rows are sorted by probability, which an edit changes: the table starts anew.
        state.editors += 1
        values = {ids[int(row)]: entry.get("logit") for row, entry in changed.items()}
        make_edits(state, [Edit("logits", (*state.cell, v), z) for v, z in values.items() if z is not None])
