"""Which act is on the screen: `/train?act=3`, and with `&live=…` whose training is watched. The server keeps both."""

from functools import partial

import streamlit as st

from lossviz.theatre import ACTS, Act, act_numbered
from lossviz.ui.learn.address import MARKS
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.state import State, read_widget
from lossviz.ui.train.live import attach, leave

__all__ = ["act_bar", "enter", "go_to", "mirror"]

ACT, LIVE = "act", "live"


def enter(state: State) -> None:
    """Take the act from the address when the page is entered, and attach to the training that it names."""
    staging, asked = state.staging, st.query_params
    wanted = asked.get(ACT, "")
    if wanted in staging.predictions.known and wanted != staging.predictions.at:
        go_to(state, act_numbered(int(wanted)))
    staging.predictions.at = staging.predictions.at or "1"
    if asked.get(LIVE) and not staging.viewer:
        staging.watch(asked[LIVE])
    if staging.viewer:
        attach(staging)


def mirror(state: State) -> None:
    """Write the act into the address."""
    staging = state.staging
    wanted = {ACT: staging.predictions.at} | ({LIVE: staging.viewer} if staging.viewer else {})
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def act_bar(state: State) -> Act:
    """Draw the acts, with what became of each prediction; returns the one that is chosen."""
    staging = state.staging
    act = staging.act
    editor = state.editors.draw(ACT, None, {ACT: str(act.number)})
    left, right = st.columns([1, 1.2], vertical_alignment="center")
    left.segmented_control(
        "Act",
        [str(one.number) for one in ACTS],
        default=str(act.number),
        required=True,
        key=editor.key,
        on_change=partial(_choose, state, editor),
        label_visibility="collapsed",
    )
    done = " ".join(f"{one.number} {MARKS.get(staging.predictions.of(str(one.number)).state, '○')}" for one in ACTS)
    right.caption(f"{done}   ·   ● predicted right  ◐ shown  ○ open")
    return act


def go_to(state: State, act: Act) -> None:
    """Put an act on the screen; a callback."""
    leave(state.staging)
    state.staging.go_to(act)


def _choose(state: State, editor: Editor) -> None:
    value = read_widget(editor.key)
    if value is not None and editor.is_typed(ACT, value):
        editor.held[ACT] = value
        go_to(state, act_numbered(int(value)))
