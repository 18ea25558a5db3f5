"""The picture of a step: before the commitment what the question may show, afterwards what answers it."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.digits import number_text
from lossviz.errors import SettingsError
from lossviz.figures import class_bars, equation, grid, mask
from lossviz.lessons import Pick, Screen, Step, analysis_of
from lossviz.reductions import FLAGS
from lossviz.tables import value_table
from lossviz.ui.session.state import State, default_widget
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width, selected_cell
from lossviz.ui.shared.widgets import literal, say

__all__ = ["keep_selection", "logits_table", "picture_after", "picture_before"]

PICTURE, BARS = "learn_picture", "learn_bars"
WIDTH = 560  # of the right column at 1280 × 800, until the browser has said its own
LABELS = {
    "targets": "The targets of the batch, without their losses.",
    "losses": "The losses of the batch before the mask.",
    "unpadded": "The losses that are left under the mask.",
}
MOST_CLASSES = 12


def keep_selection(state: State, step: Step) -> None:
    """Take the timestep that was selected in the picture, before the question that quotes it is drawn."""
    cells = state.learning.cells
    cells[step.id] = selected_cell(PICTURE, cells.get(step.id))


def picture_before(state: State, step: Step) -> None:
    """Draw what may stand beside the question; the answer's picture is not in the page."""
    screen, analysis = step.screen, analysis_of(step.screen)
    if screen.before in LABELS:
        figure = grid(analysis, part=screen.before, cell=_outlined(step), theme=theme(), width=_width())
        _draw(state, step, figure, LABELS[screen.before], selectable=any(isinstance(ask, Pick) for ask in step.asks))
    elif screen.before == "mask":
        figure = mask(analysis.batch, theme=theme(), width=_width())
        plot(figure, key=PICTURE, label="Which timesteps count.", selectable=False)
    elif screen.before == "cell" and screen.example is not None:
        _arithmetic(analysis, screen.example)
    elif screen.before == "logits" and screen.cell is not None:
        logits_table(analysis, screen.cell)


def picture_after(state: State, step: Step) -> None:
    """Draw the answer, with what can be switched in it."""
    screen = _variant(step)
    analysis = analysis_of(screen)
    if screen.flags:
        switched = _switched(step, analysis)
        if switched is None:
            return
        analysis = switched
    if screen.after == "cell" and screen.cell is not None:
        _arithmetic(analysis, screen.cell)
        return
    if screen.after == "mask":
        figure = mask(analysis.batch, theme=theme(), width=_width())
        plot(figure, key=PICTURE, label="Which timesteps count.", selectable=False)
        return
    figure = equation(analysis, highlight=_highlight(step, analysis), theme=theme(), width=_width())
    _draw(state, step, figure, "Batch loss times mask gives unpadded loss. Arrow keys select a cell.")
    cell = state.learning.cells.get(step.id)
    if cell is not None and cell[0] < analysis.mask.shape[0] and cell[1] < analysis.mask.shape[1]:
        _arithmetic(analysis, cell)


def _draw(state: State, step: Step, figure: go.Figure, label: str, *, selectable: bool = True) -> None:
    cells = state.learning.cells
    cells[step.id] = plot(figure, key=PICTURE, label=label, cell=cells.get(step.id), selectable=selectable)


def _width() -> int:
    return plot_width(PICTURE, WIDTH)


def _outlined(step: Step) -> tuple[int, int] | None:
    return step.screen.cell if step.screen.before == "unpadded" or "[" in step.body else None


def _highlight(step: Step, analysis: Analysis) -> np.ndarray | None:
    """What a question asked for by its cell, or the cell that the step is about."""
    for ask in step.asks:
        if isinstance(ask, Pick):
            return ask.answer(analysis)
    cell = step.screen.cell
    if cell is None or cell[0] >= analysis.mask.shape[0] or cell[1] >= analysis.mask.shape[1]:
        return None
    where = analysis.mask & False
    where[cell] = True
    return where


def _variant(step: Step) -> Screen:
    if not step.screen.variants:
        return step.screen
    named = {"This step": step.screen, **dict(step.screen.variants)}
    chosen = st.segmented_control(
        "Show", list(named), default="This step", required=True, key=f"learn_variant_{step.id}"
    )
    return named[chosen or "This step"]


def _switched(step: Step, analysis: Analysis) -> Analysis | None:
    """The analysis under the flags that are ticked, and its numbers; None where they contradict each other."""
    settings, columns = step.screen.settings, st.columns(2)
    ticked = {}
    for place, flag in enumerate(FLAGS):
        key = f"learn_{flag}_{step.id}"
        default_widget(key, getattr(settings, flag))
        ticked[flag] = columns[place % 2].checkbox(flag, key=key)
    try:
        switched = analysis.with_settings(settings.replace(**ticked))
    except SettingsError as error:
        say("error", str(error))
        return None
    if switched.is_scalar:
        parts = map(number_text, map(float, (switched.numerator, switched.divisor, switched.value)))
        st.markdown(literal("{} ÷ {} = {}".format(*parts)))
    elif switched.value.size <= MOST_CLASSES:
        st.dataframe(value_table(switched), height="content")
    return switched


def _arithmetic(analysis: Analysis, cell: tuple[int, int]) -> None:
    explanation = analysis.explain(*cell)
    with st.container(key="learn_cell"):
        st.markdown(literal(f"Sequence {cell[0]}, timestep {cell[1]}, target {explanation.token[:40]}"))
        st.latex(explanation.latex)
        bars = class_bars(explanation, theme=theme(), width=plot_width(BARS, WIDTH))
        plot(bars, key=BARS, label="The likeliest classes", selectable=False)


def logits_table(analysis: Analysis, cell: tuple[int, int]) -> None:
    """Draw the logits of a timestep as a table."""
    batch = analysis.batch
    rows = [
        f"| {literal(batch.token(v))} | {batch.logits[cell][v]:.4f} |" for v in range(min(batch.shape[2], MOST_CLASSES))
    ]
    st.markdown("\n".join(["| class | logit |", "|:--|--:|", *rows]))
