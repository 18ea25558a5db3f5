"""The stage: one slider over the frames, both heatmaps, the curves, the verdict, the texts.

While the frames play, or a training is watched, the page runs again and again (`again`). A fragment with `run_every`
would draw less, but its timer is the browser's: where a tick met a click, the browser lost the page ("Bad delta path
index", Streamlit 1.67).
"""

import time
from functools import partial

import streamlit as st

from lossviz.theatre import Recording, frame_steps
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.staging import Staging
from lossviz.ui.session.state import State, read_widget
from lossviz.ui.shared.voice import voice
from lossviz.ui.train.frame_panel import curves_panel, frames_panel
from lossviz.ui.train.live import is_running, leave, live_buttons, live_panel, recording_on_stage
from lossviz.ui.train.verdict_panel import texts_panel, verdict_panel

__all__ = ["again", "controls", "stage"]

PACE = 1 / 3
"""Seconds a frame while playing."""
LOOK = 0.5
"""Seconds between looks at a training."""
STEP = "train_step"


def again(staging: Staging) -> None:
    """Run the page once more after a while, if something moved on it; the last thing that a page does.

    A training that ended since then is still shown as running.
    """
    if staging.moves:
        time.sleep(PACE if staging.playing else LOOK)
        st.rerun()


def controls(state: State) -> None:
    """Draw the buttons, and the choice between the act's pairs; before that, see whether a frame is due."""
    staging = state.staging
    _tick(staging)
    staging.moves = is_running(staging) or staging.playing
    with st.container(key="train_controls", horizontal=True, vertical_alignment="center"):
        if is_running(staging):
            label, icon = ("Follow", "play_arrow") if staging.step is not None else ("Pause", "pause")
            st.button(label, key="train_follow", icon=f":material/{icon}:", on_click=partial(_follow, staging))
        elif staging.playing:
            st.button("Pause", key="train_pause", icon=":material/pause:", on_click=partial(_pause, staging))
        else:
            with st.container(key="train_moving", width="content"):
                st.button("Play", key="train_play", icon=":material/play_arrow:", on_click=partial(_play, staging))
            with st.container(key="train_unmoving", width="content"):
                st.caption("Your system asks for less motion: move the slider instead of playing.", width="content")
        live_buttons(staging)
        _pairs(staging)


def stage(state: State) -> None:
    """Draw how far the training is, and the frame that is looked at."""
    live_panel(state.staging)
    _frame(state)


@st.fragment
def _frame(state: State) -> None:
    """All that the slider changes: it is drawn again without the rest of the page."""
    staging = state.staging
    recording = recording_on_stage(staging)
    if recording is None:
        st.info("The recording of this act can't be read. Train it now makes it again.")
        return
    at = _slider(state, recording)
    voice(_said(recording, at), quiet=staging.playing)
    frames_panel(staging, recording, at)
    curves_panel(recording, at)
    verdict_panel(state, recording, at)
    texts_panel(recording, at)


def _slider(state: State, recording: Recording) -> int:
    """Draw the slider; returns the place of the frame that is looked at."""
    staging = state.staging
    at = _place(staging, recording)
    steps = list(frame_steps(staging.settings.steps))
    editor = state.editors.draw(STEP, staging.settings.key, {STEP: recording.steps[at]})
    slide = partial(_slide, state, editor)
    st.select_slider(
        "Step", steps, value=editor.shown[STEP], key=editor.key, on_change=slide, label_visibility="collapsed"
    )
    return at


def _place(staging: Staging, recording: Recording) -> int:
    """The last frame that is not after the step that is looked at."""
    if staging.step is None:
        return len(recording.steps) - 1
    return max((at for at, step in enumerate(recording.steps) if step <= (staging.step or 0)), default=0)


def _tick(staging: Staging) -> None:
    """The next frame, if it is due; after the last one, playing is over."""
    recording = recording_on_stage(staging) if staging.playing else None
    if recording is None or time.monotonic() < staging.due:
        return
    following = [step for step in recording.steps if step > (staging.step or 0)]
    staging.due = time.monotonic() + PACE
    if len(following) <= 1:
        staging.step, staging.playing = None, False
    else:
        staging.step = following[0]


def _said(recording: Recording, at: int) -> str:
    numbers = (
        f"{name} prints {run.told[at]:.3g}, true {run.true[at, 0]:.3g}"
        for name, run in (("right", recording.right), ("bug", recording.wrong))
    )
    return f"Step {recording.steps[at]}: {'; '.join(numbers)}."


def _pairs(staging: Staging) -> None:
    """The choice between the pairs of an act that has two."""
    pairs = staging.act.settings
    if len(pairs) == 1:
        return
    names = {"adam": "Adam", "sgd": "SGD"}
    labels = [names[pair.optimizer] for pair in pairs]
    key = f"train_pair_{staging.act.number}"
    st.segmented_control(
        "Optimizer", labels, default=labels[staging.variant], required=True, key=key, label_visibility="collapsed",
        on_change=partial(_choose, staging, key, labels),
    )  # fmt: skip


def _choose(staging: Staging, key: str, labels: list[str]) -> None:
    chosen = read_widget(key)
    if chosen in labels:
        leave(staging)
        staging.choose(labels.index(chosen))


def _slide(state: State, editor: Editor) -> None:
    value, staging = read_widget(editor.key), state.staging
    if isinstance(value, int) and editor.is_typed(STEP, value):
        editor.held[STEP] = value
        staging.step, staging.playing = value, False


def _play(staging: Staging) -> None:
    staging.playing, staging.due = True, time.monotonic() + PACE
    if staging.step is None:
        staging.step = 0


def _pause(staging: Staging) -> None:
    staging.playing = False


def _follow(staging: Staging) -> None:
    recording = recording_on_stage(staging)
    staging.step = recording.steps[-1] if staging.step is None and recording is not None else None
