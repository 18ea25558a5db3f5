"""The number, its divisor, and what is wrong with the batch, in words."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lossviz.analysis import Analysis
from lossviz.headline import headline
from lossviz.tables import value_table
from lossviz.ui.session.state import State
from lossviz.ui.shared.widgets import say

__all__ = ["numbers_panel", "problems_panel", "refusal_panel"]

LABEL, NARROW = 32, 8  # characters that have room as a label, and as a perplexity


def numbers_panel(analysis: Analysis, refusal: str) -> DeltaGenerator:
    """Draw the line on top: the number and what it was divided by, or why there is no number.

    Returns:
        The place of the doctor's badge, which a page fills when it has the time.
    """
    with st.container():  # keeps its place, whatever it holds
        return _numbers(analysis, refusal)


def _numbers(analysis: Analysis, refusal: str) -> DeltaGenerator:
    top = headline(analysis)
    # A line that wraps: at any zoom, every label and number is whole.
    line = st.container(key="headline", horizontal=True, gap="large")
    with line.container(key="explore_number", width="content"):
        if refusal:
            st.metric("Loss", "no number")
        else:
            st.metric(f"Loss, {top.unit}", top.value, help=f"All digits: {top.equation}")
    with line.container(key="explore_divisor", width="content"):
        if not refusal:
            counts, short = top.divisor_counts, top.divisor_counts if top.divides else "nothing"
            whole = len(short) <= LABEL and short == counts  # a longer label is cut off
            st.metric(f"Divided by {short}", top.divisor, help=None if whole else f"By {counts}.")
    digits = f"All digits: {top.perplexity}, " if len(top.perplexity) > NARROW else ""
    help_text = f"{digits}exp of a mean loss in nats; only a mean has one."
    line.metric("Perplexity", _narrow(top.perplexity) or "–", help=help_text, width="content")
    unit = "timestep" if top.cells == "1" else "timesteps"
    of = f"Counted, of {top.cells} {unit}" if len(top.cells) < NARROW else f"Counted, of {top.cells}"
    line.metric(of, top.counting, width="content")
    line.metric("Padding", top.padding, width="content")
    place = line.container(key="doctor_badge", gap=None, width="content")
    if refusal:
        say("error", refusal)
    elif not analysis.is_scalar:
        st.dataframe(value_table(analysis), height=180)
    return place


def _narrow(written: str) -> str:
    """A number in as many digits as a narrow column has room for.

    >>> [_narrow(written) for written in ("1.6970", "138391.2345", "1.384e+08", "inf", "")]
    ['1.6970', '138391', '1.4e+08', 'inf', '']
    """
    if len(written) <= NARROW:
        return written
    return f"{float(written):.{6 if float(written) < 1e6 else 2}g}"


def refusal_panel(state: State) -> None:
    """Say why the last edit could not be made."""
    if state.refusal:
        say("error", state.refusal)


def problems_panel(analysis: Analysis) -> None:
    """Say what is wrong with the content, most serious first."""
    for problem in analysis.problems:
        say("info" if problem.kind in ("fraction", "one_class", "empty") else "warning", problem.message)
