"""How far the scan is that writes the run on screen, and the way to stop it; nothing where no scan writes it."""

import time
from functools import partial

import streamlit as st

from lossviz.runs import Run, open_run
from lossviz.scanning import ScanProgress, read_progress, request_stop
from lossviz.ui.session.state import State
from lossviz.ui.shared.widgets import literal

__all__ = ["scan_panel"]

_LOOK, _SILENT = 2.0, 60.0  # seconds


def scan_panel(state: State, run: Run) -> None:
    """Say how far it is, every two seconds while it goes on; its new files come on the page when asked."""
    progress = read_progress(run.recorded.path)
    if progress is None:
        return
    with st.container(key="run_scan"):
        if progress.state == "running":
            st.fragment(partial(_running, state, run), run_every=_LOOK)()
        else:
            _ended(progress)
        if progress.problems:
            name, reason = next(iter(progress.problems.items()))
            st.caption(literal(f"{_count(len(progress.problems))} left out; {name}: {reason}"))


def _running(state: State, run: Run) -> None:
    progress = read_progress(run.recorded.path)
    if progress is None:
        return
    if progress.state != "running":
        _ended(progress)
    else:
        st.progress(progress.done / max(progress.total, 1), _words(progress, time.time()))
    with st.container(horizontal=True):
        new = progress.done - len(progress.problems) - len(run.step_numbers)
        if new > 0:
            st.button(
                f"Read {_count(new)} that came since",
                key="run_scan_read",
                on_click=partial(_read_again, state, run),
                icon=":material/refresh:",
            )
        if progress.state == "running":
            st.button(
                "Stop the scan",
                key="run_scan_stop",
                on_click=request_stop,
                args=(run.recorded.path,),
                help="It ends after the files that are being read. The same command goes on from there.",
            )


def _words(progress: ScanProgress, now: float) -> str:
    """How far a scan is, and for how long it has said nothing.

    >>> _words(ScanProgress(total=9, scanned=3, at=100.0), 101.0)
    'Being scanned: 3 of 9 files.'
    >>> _words(ScanProgress(total=9, scanned=3, at=100.0), 400.0)
    'Being scanned: 3 of 9 files; the last one 5 min ago. If the scan was killed, the same command goes on from there.'
    """
    words = f"Being scanned: {progress.done:,} of {progress.total:,} files"
    silent = now - progress.at
    if silent < _SILENT:
        return f"{words}."
    minutes = f"{silent / 60:,.0f} min"
    return f"{words}; the last one {minutes} ago. If the scan was killed, the same command goes on from there."


def _ended(progress: ScanProgress) -> None:
    if progress.state == "stopped":
        st.caption(
            f"The scan was stopped after {progress.done:,} of {progress.total:,} files; the same command goes on "
            "from there."
        )


def _read_again(state: State, run: Run) -> None:
    name = next(name for name, one in state.runs.items() if one is run)
    state.runs[name] = open_run(run.recorded.path)


def _count(files: int) -> str:
    return f"{files:,} {'file' if files == 1 else 'files'}"
