"""Explore in projector mode: one stage of the equation at a time, with next and previous; the number comes last."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.digits import number
from lossviz.figures import grid, mask
from lossviz.headline import headline
from lossviz.ui.explore.hand import hand_of, take_steps
from lossviz.ui.explore.history_panel import history_panel
from lossviz.ui.session.link_checks import Links, one_of
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width, selected_cell
from lossviz.ui.shared.widgets import escaped, literal, say
from lossviz.ui.shared.window import needs_window

__all__ = ["EQUATION", "LINKED", "STAGE", "stages_panel"]

STAGE, PICTURE = "stage", "stage_picture"
EQUATION: Mapping[str, str] = {
    "loss": "batch loss",
    "mask": "× mask",
    "unpadded": "= unpadded loss",
    "divisor": "÷ divisor",
    "number": "= the number",
}
"""The stages, in order: their names, and how the equation on top writes them."""
ORDER = tuple(EQUATION)
LINKED: Links = {STAGE: one_of(EQUATION)}
FEW = (5, 8)  # sequences and timesteps that are drawn larger
ADDENDS = 6  # sequences whose sums are added up in words
WIDTH = 900


@dataclass(frozen=True)
class _Words:
    """What is said under the equation, and the sum in LaTeX where the stage has one."""

    text: str
    sum: str = ""


def stages_panel(state: State, analysis: Analysis, refusal: str) -> None:
    """Draw the stage that is chosen, and the buttons that lead on and back."""
    stage = read_widget(STAGE) or ORDER[0]
    at = ORDER.index(stage)
    with st.container(key="stage_heading", gap="small"):
        parts = [f"**{words}**" if name == stage else words for name, words in EQUATION.items()]
        st.markdown(f"## {' '.join(parts)}", anchors=False)
        words = _words(analysis, stage)
        if refusal and at >= ORDER.index("divisor"):
            say("error", refusal)
            words = _Words("")
        st.markdown(literal(words.text))
    with st.container(key="stage_sum"):
        if words.sum:
            st.latex(words.sum)
    rows, timesteps = analysis.batch_loss.shape
    few, under = rows <= FEW[0] and timesteps <= FEW[1], "_under_a_sum" if words.sum else ""
    with st.container(key=f"stage_{'few' if few else 'many'}{under}"):
        _plot(state, analysis, stage, label=f"{EQUATION[stage]}: {words.text}")
    with st.container(key="stage_edits"):
        history_panel(state)
    _bar(at)


def _plot(state: State, analysis: Analysis, stage: str, label: str) -> None:
    """The picture; from the mask on it has the hand, unless the batch is too large to be drawn whole.

    A classifier's mask is drawn before one timestep of each sequence is read: what is read is pulled in the next stage.
    """
    has_hand = stage not in ("loss", "mask" if analysis.is_classifier else "") and not needs_window(analysis)
    state.cell = selected_cell(PICTURE, state.cell) if has_hand else state.cell
    plot(
        _picture(analysis, stage, plot_width(PICTURE, WIDTH)),
        key=PICTURE,
        label=label,
        cell=state.cell,
        selectable=has_hand,
        live=hand_of(state, analysis, "loss", None, stage=stage) if has_hand else None,
        on_event=partial(take_steps, state, PICTURE),
    )


def _picture(analysis: Analysis, stage: str, width: float) -> go.Figure:
    if stage == "mask":
        return mask(analysis.batch, name=analysis.settings.mask, theme=theme(), width=width)
    part = "losses" if stage == "loss" else "unpadded"
    return grid(analysis, part=part, theme=theme(), width=width)


def _words(analysis: Analysis, stage: str) -> _Words:
    counting, cells = int(analysis.mask.sum()), analysis.mask.size
    if stage == "loss":
        return _Words(f"Every timestep has a loss, padding too: {cells:,} of them.")
    if stage == "mask" and analysis.is_classifier:
        real = int(analysis.real_timesteps.sum())
        text = f"The mask says which timesteps are real: {real:,} of {cells:,}. The last one of each sequence is read."
        return _Words(f"{text} Mask: {analysis.mask_name}.")
    if stage == "mask":
        return _Words(f"The mask says which timesteps count: {counting:,} of {cells:,}. Mask: {analysis.mask_name}.")
    if stage == "unpadded":
        return _Words("Loss times mask: what counts keeps its loss, and padding is gone.")
    top = headline(analysis)
    if not analysis.is_scalar:
        shown = "Each has a number of its own." if stage == "divisor" else top.value
        return _Words(f"Divided by {top.divisor_counts}. {shown}", "")
    text = f"What is left is added up, and divided by {top.divisor}: {top.divisor_counts}."
    if not analysis.divides:
        text = f"What is left is added up, and divided by {top.divisor_counts}."
    value = rf"\mathbf{{{_digits(float(analysis.value))}}}\ \text{{{top.unit}}}" if stage == "number" else "?"
    return _Words(text, f"{_sum(analysis)} = {value}")


def _sum(analysis: Analysis) -> str:
    """Numerator over divisor; of few sequences that are simply added up, what each adds."""
    numerator, divisor = float(analysis.numerator), float(analysis.divisor)
    parts = analysis.unpadded_loss.sum(axis=1)
    top = _digits(numerator)
    if 1 < len(parts) <= ADDENDS and abs(float(parts.sum()) - numerator) <= 1e-6 * max(1.0, abs(numerator)):
        top = " + ".join(map(_digits, parts.tolist()))
    under = f"{divisor:,.10g}".replace(",", r"\,")
    return top if divisor == 1 else rf"\frac{{{top}}}{{{under}}}"


def _digits(value: float) -> str:
    """A number as the page writes it, in a formula."""
    return number(value).replace("−", "-")


def _bar(at: int) -> None:
    with st.container(key="stage_bar", horizontal=True, vertical_alignment="center"):
        st.button("Previous", key="stage_back", shortcut="PageUp", disabled=at == 0, on_click=partial(_move, at - 1))
        st.button(
            "Next" if at < len(ORDER) - 2 else "Reveal the number",
            key="stage_on",
            shortcut="PageDown",
            type="primary",
            disabled=at == len(ORDER) - 1,
            on_click=partial(_move, at + 1),
        )
        st.caption(f"{at + 1} of {len(ORDER)}: {escaped(EQUATION[ORDER[at]])}", width="content")


def _move(to: int) -> None:
    """Go to a stage; a callback."""
    write_widget(STAGE, ORDER[min(max(to, 0), len(ORDER) - 1)])
