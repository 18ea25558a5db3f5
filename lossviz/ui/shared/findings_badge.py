"""The doctor's findings on the batch on screen, kept until it changes, and their number for every page."""

from collections import Counter
from collections.abc import Sequence
from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.rules import SEVERITIES, Diagnosis, Finding
from lossviz.ui.session.examination import Examination
from lossviz.ui.session.state import read_widget, write_widget

__all__ = ["COLOURS", "ICONS", "PAGE", "SERIOUS", "badge", "counted", "diagnosed"]

PAGE = "doctor"
SERIOUS = ("error", "warning")
ICONS = {"error": ":material/error:", "warning": ":material/warning:", "info": ":material/info:"}
COLOURS = {"error": "red", "warning": "orange", "info": "blue"}
LOGITS, TIMESTEPS = 5_000_000, 8_192  # from here on the rules take longer than an edit may
PRINTED_TIMESTEPS = 1_024  # likewise where a printed number is compared with every formula
KEPT = "doctor:examination"
PATIENCE = 0.3  # seconds that a page waits for its badge: most batches are examined by then
STEP = 0.2
SOUND = ":material/check_circle:"


def diagnosed(analysis: Analysis) -> Diagnosis | None:
    """Every rule's outcome on the batch on screen, or None where they were stopped; they run once for each analysis."""
    examination, place = _examination(analysis), st.empty()
    if not examination.stopped and not examination.wait(STEP):
        with place.container(horizontal=True, vertical_alignment="center"):
            st.button("Stop", key="doctor_stop", on_click=examination.stop, help="The rest of the page waits for this.")
            st.markdown(":material/hourglass_empty: The rules are running.")
            pause = st.empty()
        while not examination.wait(STEP):
            pause.empty()  # ends the run of a page that was left, or whose batch has changed meanwhile
        place.empty()
    if not examination.stopped:
        return examination.result
    with place.container():
        st.info("Stopped. Nothing is said of this batch.")
        st.button("Run the rules", key="doctor_again", on_click=partial(write_widget, KEPT, None))
    return None


def badge(analysis: Analysis) -> None:
    """Draw how many findings there are at warning or above, else how many notes; a page does not wait for it."""
    st.caption("Doctor", width="content")
    if _is_large(analysis) and not _is_examined(analysis):
        _link("Examine", ":material/stethoscope:", "The rules take a while on a batch as large as this one.")
        return
    examination = _examination(analysis)
    if examination.stopped:
        _link("Stopped", ":material/stethoscope:", "The rules were stopped. Run them again on the page Doctor.")
    elif examination.wait(PATIENCE):
        _result(examination.result)
    else:
        _awaited(examination)


@st.fragment(run_every=1.0)
def _awaited(examination: Examination) -> None:
    """The badge while the rules run, looked at every second."""
    if not examination.stopped and examination.wait(0):
        st.rerun()  # the page draws the badge itself, and nothing looks every second any more
    _link("Examining…", ":material/hourglass_empty:", "The rules are running.")


def _result(diagnosis: Diagnosis) -> None:
    serious = [finding for finding in diagnosis.findings if finding.severity in SERIOUS]
    found = counted(diagnosis.findings)
    label = f"{len(serious)} {'finding' if len(serious) == 1 else 'findings'}" if serious else found or "No finding"
    icon = ICONS[serious[0].severity] if serious else ICONS["info"] if found else SOUND
    _link(label, icon, f"{found or 'Nothing'} found. Opens the page Doctor.")


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


def _is_examined(analysis: Analysis) -> bool:
    kept: Examination | None = read_widget(KEPT)
    return kept is not None and kept.analysis is analysis


def _examination(analysis: Analysis) -> Examination:
    """The examination of the analysis on screen, begun where there is none; that of an older one is stopped."""
    kept: Examination | None = read_widget(KEPT)
    if kept is not None and kept.analysis is analysis:
        return kept
    if kept is not None:
        kept.stop()
    examination = Examination(analysis)
    write_widget(KEPT, examination)
    return examination


def _link(label: str, icon: str, words: str) -> None:
    # Streamlit knows a page by its address: this one only says which.
    st.page_link(st.Page(_nothing, url_path=PAGE, title="Doctor"), label=label, icon=icon, help=words)


def _nothing() -> None:
    """A placeholder: the navigation draws the page."""
