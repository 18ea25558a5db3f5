"""What the doctor says of the batch on screen, kept until that changes, and the number of findings for every page."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.rules import SEVERITIES, Diagnosis, Finding, diagnose
from lossviz.ui.session.state import read_widget, write_widget

__all__ = ["COLOURS", "ICONS", "PAGE", "SERIOUS", "badge", "counted", "diagnosed"]

PAGE = "doctor"
SERIOUS = ("error", "warning")
ICONS = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}
COLOURS = {"error": "red", "warning": "orange", "info": "blue"}
LOGITS, TIMESTEPS = 5_000_000, 8_192  # from here on the rules take longer than an edit may
PRINTED_TIMESTEPS = 1_024  # likewise where a printed number is compared with every formula
KEPT = "doctor:diagnosis"
SOUND = ":material/check_circle:"


def diagnosed(analysis: Analysis) -> Diagnosis:
    """Every rule's word on the batch on screen; the rules run once for each analysis."""
    kept = _kept(analysis)
    if kept is None:
        kept = diagnose(analysis)
        write_widget(KEPT, kept)
    return kept


def badge(analysis: Analysis) -> None:
    """Draw how many findings there are at warning or above, as a link to them."""
    diagnosis = _kept(analysis) if _is_large(analysis) else diagnosed(analysis)
    st.caption("Doctor", width="content")
    if diagnosis is None:
        _link("Examine", ":material/stethoscope:", "The rules take a while on a batch as large as this one.")
        return
    serious = [finding for finding in diagnosis.findings if finding.severity in SERIOUS]
    label = f"{len(serious)} {'finding' if len(serious) == 1 else 'findings'}" if serious else "No finding"
    icon = ICONS[serious[0].severity] if serious else SOUND
    _link(label, icon, f"{counted(diagnosis.findings) or 'Nothing'} found. Opens the page Doctor.")


def counted(findings: Sequence[Finding]) -> str:
    """How many findings of each severity: "2 errors, 1 warning", or "".

    >>> counted([])
    ''
    """
    found = Counter(finding.severity for finding in findings)
    words = {"error": ("error", "errors"), "warning": ("warning", "warnings"), "info": ("note", "notes")}
    return ", ".join(f"{found[name]} {words[name][found[name] > 1]}" for name in SEVERITIES if found[name])


def _is_large(analysis: Analysis) -> bool:
    most = TIMESTEPS if analysis.batch.reported is None else PRINTED_TIMESTEPS
    logits = analysis.scores.size if analysis.has_logits else 0
    return bool(logits > LOGITS or analysis.batch_loss.size > most)


def _kept(analysis: Analysis) -> Diagnosis | None:
    kept: Diagnosis | None = read_widget(KEPT)
    return kept if kept is not None and kept.analysis is analysis else None


def _link(label: str, icon: str, words: str) -> None:
    # Streamlit knows a page by its address: this one only says which.
    st.page_link(st.Page(_nothing, url_path=PAGE, title="Doctor"), label=label, icon=icon, help=words)


def _nothing() -> None:
    """Stand for the page, which the navigation draws."""
