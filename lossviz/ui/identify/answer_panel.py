"""The answer of the page Identify: one sentence, then the candidates, or what to check where there is none."""

from dataclasses import dataclass

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.errors import LossvizError
from lossviz.identification import Match, answer_sentences, identify
from lossviz.measuring import usual_settings
from lossviz.reductions import LOOP_OPTIONS, Options
from lossviz.tables import SAY_LOOP, nearest_convention
from lossviz.ui.identify.match_cards import cards_panel
from lossviz.ui.identify.reported_panel import Question
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.computation import compute
from lossviz.ui.shared.widgets import literal, say

__all__ = ["EMPTY", "STOPPED", "UNSAID", "answer_panel"]

EMPTY = "Paste the loss that your loop printed for this batch. Every digit helps: 1.2545 says more than 1.25."
STOPPED = "The second batch was stopped before its losses were there. Ask again, or leave it out."
UNSAID = f"{SAY_LOOP} under How the loop is set up."


@dataclass(frozen=True)
class Found:
    """What was found for a question; `refusal`: why it can't be answered, or ""."""

    analysis: Analysis
    question: Question
    matches: tuple[Match, ...] = ()
    refusal: str = ""


def answer_panel(state: State, analysis: Analysis, question: Question) -> None:
    """Draw the answer, which is kept until the batch, its mask or the question changes."""
    if question.wrong:
        say("error", question.wrong)
    elif not question.reported:
        st.info(EMPTY)
    else:
        _show(_kept(state, analysis, question))


def _kept(state: State, analysis: Analysis, question: Question) -> Found:
    found: Found | None = read_widget("identify:found")
    if found is None or found.analysis is not analysis or found.question != question:
        with st.spinner("Comparing with every formula"):
            found = _found(state, analysis, question)
        write_widget("identify:found", found)
    return found


def _found(state: State, analysis: Analysis, question: Question) -> Found:
    analyses, printed, settings = [analysis], [question.reported], analysis.settings
    if question.other is not None and state.stopped is question.other:
        state.stopped = None
        return Found(analysis, question, refusal=STOPPED)
    try:
        if question.other is not None:
            analyses.append(compute(state, question.other, usual_settings(question.other, settings.mask)))
            printed.append(question.other_reported)
        given = {"max_length": settings.max_length} | dict(question.options)
        matches = identify(analyses, printed, options=Options(), **given)
    except LossvizError as error:
        return Found(analysis, question, refusal=str(error))
    return Found(analysis, question, matches)


def _show(found: Found) -> None:
    if found.refusal:
        say("error", found.refusal)
        return
    question = found.question
    first, *rest = answer_sentences(found.matches, ", ".join(question.reported))
    with st.container(key="identify_answer", gap="small"):
        st.markdown(f"## {literal(first)}", anchors=False)
        if not found.matches and question.other is None and len(question.reported) == 1:
            rest.append(nearest_convention(found.analysis, float(question.reported[0])))
            given = dict(question.options)
            rest.append("" if any(option.name in given for option in LOOP_OPTIONS) else UNSAID)
        for text in filter(None, rest):
            st.markdown(literal(text))
    cards_panel(found.analysis, found.matches, dict(question.options), several=len(question.reported) > 1)
