"""The training in a process of its own: who watches it, how far it is, and whether its numbers are the recording's."""

from functools import lru_cache, partial

import numpy as np
import streamlit as st

from lossviz import theatre
from lossviz.errors import FormatError
from lossviz.theatre import SIDES, Recording, Settings, read
from lossviz.ui.session.staging import Staging
from lossviz.ui.shared.widgets import literal

__all__ = ["attach", "is_running", "leave", "likeness", "live_buttons", "live_panel", "recorded", "recording_on_stage"]


def attach(staging: Staging) -> None:
    """Start the training on stage, or join it where somebody watches it already."""
    theatre.jobs.attach(staging.settings, staging.viewer)


def leave(staging: Staging) -> None:
    """Stop watching; the last one to leave stops the training."""
    if staging.viewer:
        theatre.jobs.leave(staging.settings, staging.viewer)


def is_running(staging: Staging) -> bool:
    """Whether a training is watched that is not over."""
    return bool(staging.viewer) and theatre.jobs.look(staging.settings, staging.viewer).live


def recording_on_stage(staging: Staging) -> Recording | None:
    """What was trained so far, else the recording that comes with lossviz; None where that can't be read."""
    if staging.viewer:
        live = theatre.jobs.look(staging.settings, staging.viewer).recording
        if live is not None:
            return live
    return recorded(staging.settings)


_read = lru_cache(16)(read)


def recorded(settings: Settings) -> Recording | None:
    """The recording that comes with lossviz, read once; None where it is missing or damaged."""
    try:
        return _read(settings)
    except FormatError:
        return None


def live_buttons(staging: Staging) -> None:
    """Draw the button that trains, stops or goes back to the recording."""
    if not staging.viewer:
        st.button(
            "Train it now",
            key="train_start",
            icon=":material/model_training:",
            on_click=partial(_start, staging),
            help="Trains both models again in a process of its own, at low priority: about half a minute.",
        )
        st.caption("This is a recording. Training it again gives the same numbers.", width="content")
    elif is_running(staging):
        st.button("Stop", key="train_stop", icon=":material/stop:", on_click=partial(_stop, staging))
    else:
        st.button("Back to the recording", key="train_back", on_click=partial(_stop, staging))


def live_panel(staging: Staging) -> None:
    """Say how far the training is, and at its end whether it gave the recording's numbers."""
    if not staging.viewer:
        return
    with st.container(key="train_live"):
        job, whole = theatre.jobs.look(staging.settings, staging.viewer), staging.settings.steps
        if job.phase == "waiting":
            st.info(f"Place {job.place} in the queue: another pair of models is being trained.")
        elif job.phase == "starting":
            st.progress(0.0, "Starting a process and loading TensorFlow in it: 3 to 10 seconds.")
        elif job.phase == "training":
            words = f"Training: step {job.step} of {whole}. {_alike(job.recording, staging)}"
            st.progress(min(job.step / whole, 1.0), words)
        elif job.phase == "done":
            st.success(f"Trained on this machine, {whole} steps. {_alike(job.recording, staging)}")
        elif job.phase == "stopped":
            st.info(f"Stopped at step {job.step}. {_alike(job.recording, staging)}")
        else:
            st.error(literal(job.problem or "The training ended unexpectedly."))
            st.button("Try again", key="train_again", on_click=partial(attach, staging))


def likeness(live: Recording, shipped: Recording) -> str:
    """Whether every number so far is the recording's, in one sentence."""
    apart = 0.0
    for side in SIDES:
        one, other = live.side(side), shipped.side(side)
        frames, steps = min(len(one), len(other)), min(len(one.reported), len(other.reported))
        for name, count in (("losses", frames), ("true", frames), ("told", frames), ("reported", steps)):
            gap = np.abs(np.asarray(getattr(one, name)[:count], float) - getattr(other, name)[:count])
            apart = max(apart, float(gap.max(initial=0.0)))
    if apart == 0:
        return "Every number is the recording's, bit by bit."
    return f"No number is further than {apart:.2g} nats from the recording's: another machine rounds otherwise."


def _alike(live: Recording | None, staging: Staging) -> str:
    shipped = recorded(staging.settings)
    return "" if live is None or shipped is None else likeness(live, shipped)


def _start(staging: Staging) -> None:
    staging.watch()
    attach(staging)


def _stop(staging: Staging) -> None:
    leave(staging)
    staging.choose(staging.variant)
