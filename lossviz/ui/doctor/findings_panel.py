"""The answer of the page Doctor: one sentence, what was repaired, and the findings as cards."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.headline import headline
from lossviz.rules import RULES, Diagnosis, Finding
from lossviz.ui.doctor.apply_fix import number_now, repaired_cells, undo_repair
from lossviz.ui.doctor.finding_card import card
from lossviz.ui.doctor.finding_picture import outlined_picture
from lossviz.ui.session.link_checks import Links, one_of
from lossviz.ui.session.state import State, read_widget
from lossviz.ui.shared.findings_badge import counted
from lossviz.ui.shared.widgets import literal, say

__all__ = ["FINDING", "LINKED", "doctor_panel", "outcome_words", "repairs_panel"]

FINDING = "doctor_finding"
LINKED: Links = {FINDING: one_of(rule.code for rule in RULES)}
SOUND = "If the number is not the one that your loop prints, ask the page Identify which formula gives it."


def doctor_panel(state: State, analysis: Analysis, diagnosis: Diagnosis, refusal: str) -> None:
    """Draw the sentence and the cards; the finding that was chosen, else the first one, is drawn on the equation."""
    with st.container(key="doctor_answer", gap="small"):
        st.markdown(f"## {_answer(diagnosis)}", anchors=False)
        if refusal:
            say("error", refusal)
        else:
            st.caption(literal(_number(analysis)))
        if not diagnosis.findings:
            st.markdown(SOUND)
    if not diagnosis.findings and state.source is not None and state.source.repairs:
        outlined_picture(state, analysis, repaired_cells(state.source), "the repaired timesteps")
    chosen = _chosen(diagnosis)
    for finding in diagnosis.findings:
        card(state, analysis, finding, is_open=finding is chosen)


def repairs_panel(state: State, analysis: Analysis) -> None:
    """Draw what was repaired, with the number before and now, and the way back."""
    if state.source is None or not state.source.repairs:
        return
    repairs = state.source.repairs
    last = repairs[-1]
    with st.container(key="doctor_repaired", border=True, horizontal=True, vertical_alignment="center", gap="medium"):
        st.markdown(f":material/healing: **Repaired: {', '.join(repair.code for repair in repairs)}**", width="content")
        st.metric(f"Before {last.code} was repaired", literal(last.before), width="content")
        st.metric("Now", number_now(analysis), width="content")
        st.button(
            "Undo the fix",
            key=state.editors.draw("doctor_undo", last, {}).key,
            icon=":material/undo:",
            help=f"Takes the repair of {last.code} back, with what was edited since.",
            on_click=partial(undo_repair, state, state.source, last),
        )


def outcome_words(diagnosis: Diagnosis) -> str:
    """What became of the rules that found nothing: "21 rules passed, 12 could not tell or did not apply"."""
    states = [outcome.state for outcome in diagnosis.outcomes]
    passed, skipped, crashed = (states.count(state) for state in ("passed", "skipped", "crashed"))
    words = [f"{passed} {'rule' if passed == 1 else 'rules'} passed"]
    words += [f"{skipped} could not tell or did not apply"] * bool(skipped)
    return ", ".join([*words, *[f"{crashed} crashed"] * bool(crashed)])


def _answer(diagnosis: Diagnosis) -> str:
    found = counted(diagnosis.findings)
    crashed = any(outcome.state == "crashed" for outcome in diagnosis.outcomes)
    if not found:
        return f"Nothing found: {outcome_words(diagnosis)}"
    if diagnosis.worst == "info":
        found = f"No error and no warning, {found}"
    return found + (", and a rule crashed" if crashed else "")


def _number(analysis: Analysis) -> str:
    top, counts = headline(analysis), analysis.divisor_counts
    if not analysis.is_scalar:
        number = f"{top.value}, each divided by {counts}"
    elif not analysis.divides:
        number = f"{top.value} {top.unit}, divided by {counts}"
    else:
        number = f"{top.value} {top.unit}, divided by {top.divisor} ({counts})"
    declared = analysis.batch.declared_mask
    other = f", chosen in the sidebar; the batch says {declared}" if declared != analysis.mask_name else ""
    return f"Loss {number}; mask: {analysis.mask_name}{other}"


def _chosen(diagnosis: Diagnosis) -> Finding | None:
    first = diagnosis.findings[0] if diagnosis.findings else None
    return diagnosis.finding(read_widget(FINDING) or "") or first
