"""A finding as a card: severity, sentence, numbers, timesteps, what to write instead, when it is a false alarm."""

import re
from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.digits import number_text
from lossviz.rules import RULES, Finding
from lossviz.ui.doctor.apply_fix import apply_repair, number_now
from lossviz.ui.doctor.finding_picture import outlined_picture
from lossviz.ui.session.state import State, write_widget
from lossviz.ui.shared.findings_badge import COLOURS, ICONS
from lossviz.ui.shared.settings_panel import DECLARED
from lossviz.ui.shared.widgets import escaped, literal

__all__ = ["LIBRARIES", "card", "threads"]

LIBRARIES = {"TensorFlow": "TensorFlow and Keras", "JAX": "JAX and optax"}
WORDS = {"error": "Error", "warning": "Warning", "info": "Note"}
DOCS = {rule.code: rule.sections for rule in RULES}
NO_REPAIR = "Nothing to apply: the arrays alone do not say what is right."
LOOP = "Nothing to apply to the batch: it is the loop that changes."
_THREAD = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+) ?(?:(?P<pull>PR) ?)?#(?P<number>\d+)")


def card(state: State, analysis: Analysis, finding: Finding, *, is_open: bool) -> None:
    """Draw a finding; an open one with its timesteps on the equation, the fix and its prose."""
    with st.container(border=True, key=f"finding_{finding.code}", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center"):
            kind = finding.severity
            st.badge(WORDS[kind], icon=ICONS[kind], color=COLOURS[kind])  # type: ignore[arg-type]
            st.markdown(f"### {finding.code} · {literal(finding.title)}", width="stretch", anchors=False)
            if not is_open:
                _show(finding)
        st.markdown(literal(finding.message))
        if is_open:
            _numbers(state, analysis, finding)
            outlined_picture(state, analysis, finding.cells, f"the timesteps of {finding.code}")
            _fix(finding)
            _prose(finding)


def threads(text: str) -> str:
    r"""Threads as Markdown: a link where the repository is named with its owner, else the words.

    >>> print(threads("keras#1, a/b#2, a/b PR#3"))
    keras\#1, [a/b\#2](https://github.com/a/b/issues/2), [a/b PR\#3](https://github.com/a/b/pull/3)
    """
    linked, at = "", 0
    for found in _THREAD.finditer(text):
        kind = "pull" if found["pull"] else "issues"
        address = f"https://github.com/{found['repo']}/{kind}/{found['number']}"
        linked += f"{escaped(text[at : found.start()])}[{escaped(found[0])}]({address})"
        at = found.end()
    return linked + escaped(text[at:])


def _show(finding: Finding) -> None:
    st.button(
        "Show",
        key=f"show_{finding.code}",
        help="Draws its timesteps on the equation, with the fix.",
        on_click=partial(write_widget, "doctor_finding", finding.code),
    )


def _numbers(state: State, analysis: Analysis, finding: Finding) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        printed = analysis.batch.reported if finding.is_of_the_loop else None
        now = ("Loss now", number_now(analysis)) if printed is None else ("Your loop printed", escaped(printed))
        st.metric(*now, width="content")
        if finding.loss_if_fixed is not None:
            st.metric("After the fix", number_text(finding.loss_if_fixed), width="content")
        key = state.editors.draw(f"apply_{finding.code}", analysis, {}).key
        if finding.repaired is not None and state.source is not None:
            st.button(
                "Apply the fix",
                key=key,
                type="primary",
                help="Makes the repaired batch the one on screen. It can be undone.",
                on_click=partial(apply_repair, state, state.source, analysis, finding),
            )
        elif _is_of_the_sidebar(analysis, finding):
            st.button(
                "Use the batch's mask",
                key=key,
                type="primary",
                help="Chooses in the sidebar what the batch says.",
                on_click=partial(write_widget, "mask", DECLARED),
            )
        with st.container(width="stretch", gap=None):
            st.caption(_evidence(finding))
            if finding.repaired is None and not _is_of_the_sidebar(analysis, finding):
                st.caption(NO_REPAIR if printed is None else LOOP)


def _is_of_the_sidebar(analysis: Analysis, finding: Finding) -> bool:
    """Whether the batch says which timesteps count, and the user chose that all do."""
    return finding.code == "PAD01" and analysis.settings.mask == "none" != analysis.batch.declared_mask


def _evidence(finding: Finding) -> str:
    return " · ".join(f"{escaped(name)} **{literal(_text(value))}**" for name, value in finding.evidence.items())


def _text(value: float | int | str) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else number_text(value)


def _fix(finding: Finding) -> None:
    if not finding.fix:
        return
    st.markdown("#### What to write instead", anchors=False)
    names = [LIBRARIES.get(library, library) for library in finding.fix]
    for tab, code in zip(st.tabs(names), finding.fix.values(), strict=True):
        tab.code(code, language="python")


def _prose(finding: Finding) -> None:
    sections = DOCS.get(finding.code, {})
    for heading in ("Why it matters", "When it is a false alarm"):
        if heading in sections:
            st.markdown(f"**{heading}.** {sections[heading]}")
    if "Threads" in sections:
        st.caption(f"Met in: {threads(' '.join(sections['Threads'].split()))}")
