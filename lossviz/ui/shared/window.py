"""The detail window of a batch too large to draw cell by cell."""

from functools import partial

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.ui.session.link_checks import Links, is_whole
from lossviz.ui.session.state import State, read_widget, write_widget

__all__ = ["LINKED", "WINDOW", "needs_window", "window_controls"]

WINDOW = (32, 64)  # sequences and timesteps drawn as cells at once
WHOLE = (64, 128)  # up to here the whole batch is drawn
KEYS = ("corner_sequence", "corner_timestep")
LINKED: Links = dict.fromkeys(KEYS, is_whole)


def needs_window(analysis: Analysis) -> bool:
    """Whether the batch has more cells than one picture shows."""
    rows, timesteps = analysis.batch_loss.shape
    return bool(rows > WHOLE[0] or timesteps > WHOLE[1])


def window_controls(state: State, analysis: Analysis) -> tuple[int, int, int, int]:
    """Two sliders for the window's corner; returns (first row, row after, first timestep, timestep after)."""
    ends = analysis.batch_loss.shape
    last = [max(end - size, 0) for end, size in zip(ends, WINDOW, strict=True)]
    _follow(state, last)
    corner = []
    for place, key, label, end in zip(st.columns(2), KEYS, ("First sequence", "First timestep"), last, strict=True):
        help_text = "Where the detail starts. Selecting a place in the overview moves it too."
        editor = state.choice(key, 0)
        save = partial(state.take_choice, editor)
        value = editor.shown[key]
        corner.append(place.slider(label, 0, end, value, key=editor.key, on_change=save, help=help_text) if end else 0)
    row, timestep = corner
    return row, min(row + WINDOW[0], ends[0]), timestep, min(timestep + WINDOW[1], ends[1])


def _follow(state: State, last: list[int]) -> None:
    """Center the window on what was selected in the overview, and keep the sliders within this batch."""
    wanted = [read_widget(key) or 0 for key in KEYS]
    if state.jump is not None:
        wanted = [place - size // 2 for place, size in zip(state.jump, WINDOW, strict=True)]
    for key, value, end in zip(KEYS, wanted, last, strict=True):
        write_widget(key, min(max(value, 0), end))
    state.jump = None
