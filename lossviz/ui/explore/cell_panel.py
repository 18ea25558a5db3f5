"""The selected timestep: its arithmetic line by line, its classes, and its entries to edit."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.digits import latex_lines
from lossviz.explanation import Explanation
from lossviz.figures import class_bars, visible
from lossviz.headline import cell_words, reading_words
from lossviz.reductions import MAX_SAFE_INTEGER
from lossviz.ui.explore.hand import NO_TARGET, no_weight
from lossviz.ui.explore.logits_editor import logits_editor
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.state import State, read_widget
from lossviz.ui.shared.computation import has_number
from lossviz.ui.shared.edit_history import draw_entries, save_typed
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot
from lossviz.ui.shared.widgets import escaped, say

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
        st.markdown(f"## {place}: {_heading(analysis, explanation)}", anchors=False)
        st.caption(cell_words(explanation, has_number=has_number(analysis)))
        where = reading_words(analysis, explanation.sequence, explanation.timestep)
        if where:
            st.caption(where)
        if explanation.note:
            say("warning", explanation.note)
        left, right = st.columns([1.35, 1])
        with left:
            st.latex(latex_lines(_steps(explanation, is_reduced=has_number(analysis))))
        with right:
            _classes(explanation)
        _editors(state, analysis, explanation)


def _steps(explanation: Explanation, *, is_reduced: bool) -> tuple[tuple[str, str, float], ...]:
    """The lines of the arithmetic; without a number they end before the divisions."""
    divisions = 3 if explanation.group else 2
    return explanation.steps if is_reduced else explanation.steps[:-divisions]


def _classes(explanation: Explanation) -> None:
    if explanation.has_logits or explanation.classes:
        plot(class_bars(explanation, theme=theme()), key="classes", label="Top classes", selectable=False)
    else:
        st.caption("How likely the other classes were can't be told without logits.")


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
    entry = "weights", (explanation.sequence, explanation.timestep)
    # The locked field and the editable one are two editors: what was typed into the locked one is no edit.
    editor = draw_entries(state, "weight_locked" if why else "weight", [entry], shown=explanation.weight)
    st.number_input(
        "Weight",
        value=float(editor.shown[entry]),
        step=1.0,
        format="%.6g",
        key=editor.key,
        on_change=partial(_save_field, state, editor),
        disabled=bool(why),
        help=why or "0: this timestep does not count.",
    )


def _no_weight(analysis: Analysis, explanation: Explanation) -> str:
    """Why a weight can't be edited, or ""."""
    if why := no_weight(analysis):
        return why
    if analysis.is_classifier and explanation.weight == 0:
        return "This timestep is not read. A classifier reads the last one of a sequence: its length says which."
    return ""


def _target(state: State, analysis: Analysis, explanation: Explanation) -> None:
    entry = "targets", (explanation.sequence, explanation.timestep)
    classes = analysis.batch.shape[2]
    named = analysis.batch.vocabulary is not None and classes <= SELECTABLE_CLASSES
    browser_can = abs(explanation.target) <= MAX_SAFE_INTEGER
    locked = not analysis.has_logits
    words = NO_TARGET if locked else "The class that this timestep should predict."
    editor = draw_entries(state, "target_locked" if locked else "target", [entry])
    save = partial(_save_field, state, editor)
    if named and 0 <= explanation.target < classes:
        st.selectbox(
            "Target",
            range(classes),
            index=int(editor.shown[entry]),
            format_func=lambda v: f"{analysis.batch.token(v)[:80]} ({v})",
            key=editor.key,
            on_change=save,
            disabled=locked,
            help=words,
        )
    else:
        value = int(editor.shown[entry]) if browser_can else None
        hint = None if browser_can else str(explanation.target)
        st.number_input(
            "Target",
            value=value,
            placeholder=hint,
            step=1,
            key=editor.key,
            on_change=save,
            disabled=locked,
            help=words if locked else "A class id.",
        )


def _save_field(state: State, editor: Editor) -> None:
    [entry] = editor.held
    value = read_widget(editor.key)
    save_typed(state, editor, {entry: None if value is None else float(value)})
