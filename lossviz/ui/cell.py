"""The selected timestep: its arithmetic line by line, its classes, and its entries to edit."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.edits import Edit
from lossviz.explanation import Explanation
from lossviz.figures import class_bars, visible
from lossviz.headline import cell_words, reading_words
from lossviz.reductions import MAX_SAFE_INTEGER
from lossviz.ui.editing import make_edits
from lossviz.ui.equation import theme
from lossviz.ui.logits import logits_editor
from lossviz.ui.plot import plot
from lossviz.ui.state import State, read_widget, write_widget
from lossviz.ui.widgets import escaped, say

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
        place = f"Sequence {explanation.sequence}, timestep {explanation.timestep}"
        st.markdown(f"**{place}: {_heading(analysis, explanation)}**")
        st.caption(cell_words(explanation))
        where = reading_words(analysis, explanation.sequence, explanation.timestep)
        if where:
            st.caption(where)
        if explanation.note:
            say("warning", explanation.note)
        left, right = st.columns([1.35, 1])
        with left:
            st.latex(explanation.latex)
        with right:
            plot(class_bars(explanation, theme=theme()), key="classes", label="Top classes", selectable=False)
        _editors(state, analysis, explanation)


def _heading(analysis: Analysis, explanation: Explanation) -> str:
    """The target, and what the model read there where the batch says it."""
    batch, here = analysis.batch, (explanation.sequence, explanation.timestep)
    name = "label" if analysis.is_classifier else "target"
    target = f"{name} {escaped(visible(explanation.token[:80]))}"
    if batch.inputs is None:
        return target
    return f"{target}, read “{escaped(visible(batch.input_token(int(batch.inputs[here]))[:80]))}”"


def _editors(state: State, analysis: Analysis, explanation: Explanation) -> None:
    target, weight, logits = st.columns([0.9, 0.8, 2.9])
    with target:
        _target(state, analysis, explanation)
    with weight:
        _weight(state, analysis, explanation)
    with logits:
        logits_editor(state, analysis)


def _weight(state: State, analysis: Analysis, explanation: Explanation) -> None:
    why = _no_weight(analysis, explanation)
    key = f"weight_{state.cell}_{state.editors}"
    # The weight also changes by the mask and the lengths, so the field is told what is so.
    write_widget(key, explanation.weight)
    st.number_input(
        "Weight",
        value=None,  # emptied is no edit
        step=1.0,
        format="%.6g",
        key=key,
        on_change=partial(_save_widget, state, "weights", key),
        disabled=bool(why),
        help=why or "0: this timestep does not count.",
    )


def _no_weight(analysis: Analysis, explanation: Explanation) -> str:
    """Why a weight can't be edited, or ""."""
    if analysis.settings.mask not in (None, "weights"):
        return f"Only the mask “weights” can be edited; “{analysis.mask_name}” is chosen in the sidebar."
    if analysis.is_classifier and explanation.weight == 0:
        return "This timestep is not read. A classifier reads the last one of a sequence: its length says which."
    return ""


def _target(state: State, analysis: Analysis, explanation: Explanation) -> None:
    key = f"target_{state.cell}_{state.editors}"
    save = partial(_save_widget, state, "targets", key)
    classes = analysis.batch.shape[2]
    words = analysis.batch.vocabulary is not None and classes <= SELECTABLE_CLASSES
    browser_can = abs(explanation.target) <= MAX_SAFE_INTEGER
    if browser_can:
        write_widget(key, explanation.target)
    if words and 0 <= explanation.target < classes:
        st.selectbox(
            "Target",
            range(classes),
            format_func=lambda v: f"{analysis.batch.token(v)[:80]} ({v})",
            key=key,
            on_change=save,
            help="The class that this timestep should predict.",
        )
    else:
        hint = None if browser_can else str(explanation.target)
        st.number_input("Target", value=None, placeholder=hint, step=1, key=key, on_change=save, help="A class id.")


def _save_widget(state: State, field: str, key: str) -> None:
    if state.cell is not None and read_widget(key) is not None:
        make_edits(state, [Edit(field, state.cell, float(read_widget(key)))])
