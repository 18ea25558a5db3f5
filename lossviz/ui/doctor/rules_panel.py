"""The rules that found nothing, with their reasons, and the catalogue of rules with a bad and a good batch of each."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from lossviz.analysis import Analysis, analyze
from lossviz.figures import equation
from lossviz.rules import RULES, Diagnosis, Finding, Outcome, Rule, RuleSample, diagnose
from lossviz.ui.doctor.finding_card import WORDS, threads
from lossviz.ui.doctor.findings_panel import outcome_words
from lossviz.ui.session.link_checks import Links, is_flag, one_of
from lossviz.ui.session.state import default_widget, write_widget
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.findings_badge import counted
from lossviz.ui.shared.plot import plot, plot_width
from lossviz.ui.shared.widgets import escaped, literal
from lossviz.ui.sources.rule_samples import DOOR_SAMPLES, sample_batch

__all__ = ["LINKED", "catalogue_panel", "outcomes_panel"]

LINKED: Links = {
    "doctor_rule": one_of(rule.code for rule in RULES),
    "doctor_catalogue": is_flag,
    "doctor_outcomes": is_flag,
}

WIDTH = 440  # of a sample's picture at 1280 × 800, until the browser has said its own
KINDS = {"bad": "Bad", "good": "Good"}
NO_SAMPLE = "There is no batch of this rule: it would be too large to come with lossviz."
TITLES = {rule.code: rule.title for rule in RULES}


def outcomes_panel(diagnosis: Diagnosis) -> None:
    """Draw the rules that passed, could not tell, or crashed, folded."""
    words = outcome_words(diagnosis)
    with st.expander(words, key="doctor_outcomes", on_change="rerun") as panel:
        if not panel.open:
            return
        for state, draw in _STATES.items():
            draw([outcome for outcome in diagnosis.outcomes if outcome.state == state])


def catalogue_panel(findings: Sequence[Finding]) -> None:
    """Draw a rule of the catalogue, at first that of the first finding: its text, and both samples side by side."""
    label = f"All {len(RULES)} rules, with a bad and a good batch of each"
    with st.expander(label, key="doctor_catalogue", on_change="rerun") as panel:
        if not panel.open:
            return
        default_widget("doctor_rule", findings[0].code if findings else RULES[0].code)
        rules = {rule.code: rule for rule in RULES}
        code = st.selectbox(
            "Rule",
            list(rules),
            format_func=lambda code: f"{code} · {rules[code].title}",
            key="doctor_rule",
            help="Every bug that the doctor knows by the arrays.",
            persist_state="session",
        )
        _rule(rules[code])


def _crashed(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        st.markdown(f"**{_name(outcome)} crashed.** This is a mistake in lossviz, not in your batch. Please report it:")
        st.code(outcome.reason, language=None)


def _skipped(outcomes: list[Outcome]) -> None:
    if outcomes:
        st.markdown("**Could not tell, or did not apply**")
        st.markdown("\n".join(f"- {_name(outcome)}. {literal(outcome.reason)}" for outcome in outcomes))


def _passed(outcomes: list[Outcome]) -> None:
    if outcomes:
        st.markdown("**Passed: here it is not so that**")
        st.markdown("\n".join(f"- {_name(outcome)}" for outcome in outcomes))


_STATES = {"crashed": _crashed, "skipped": _skipped, "passed": _passed}


def _name(outcome: Outcome) -> str:
    return f"{outcome.code} · {escaped(TITLES.get(outcome.code, ''))}"


def _rule(rule: Rule) -> None:
    if RuleSample(rule, "bad").name in DOOR_SAMPLES:
        for column, (kind, word) in zip(st.columns(2), KINDS.items(), strict=True):
            with column:
                _sample(rule, kind, word)
    else:
        st.caption(NO_SAMPLE)
    for heading, text in rule.sections.items():
        st.markdown(f"**{heading}.** {threads(' '.join(text.split())) if heading == 'Threads' else text}")
    needs = f" It needs {rule.needed}." if rule.needs else ""
    st.caption(f"Severity: {WORDS[rule.severity].lower()}.{needs}")


def _sample(rule: Rule, kind: str, word: str) -> None:
    name = RuleSample(rule, kind).name
    analysis, diagnosis = _examined(name)
    finding = diagnosis.finding(rule.code)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{word}:** {counted(diagnosis.findings) or 'nothing found'}", width="stretch")
        st.button("Open this batch", key=f"open_{kind}", on_click=partial(_open, name, rule.code))
    key = f"doctor_{kind}"
    drawn = equation(
        analysis,
        highlight=None if finding is None else finding.cells,
        theme=theme(),
        width=plot_width(key, WIDTH),
    )
    plot(drawn, key=key, label=f"The {kind} batch of {rule.code}.", selectable=False)
    if finding is not None:
        st.markdown(literal(finding.message))
    elif analysis.batch.reported is not None:
        st.markdown(f"Its loop printed {escaped(analysis.batch.reported)}.")


@st.cache_resource(max_entries=2 * len(RULES), show_spinner=False)
def _examined(name: str) -> tuple[Analysis, Diagnosis]:
    analysis = analyze(sample_batch(name))
    return analysis, diagnose(analysis)


def _open(name: str, code: str) -> None:
    write_widget("door", "Sample")
    write_widget("sample", name)
    write_widget("doctor_finding", code)
    write_widget("doctor_catalogue", False)
