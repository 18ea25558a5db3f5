"""From a frame into the app: its batch, by the parameter of an address, `?frame=3.1-wrong-80`."""

import re

import streamlit as st

from lossviz.theatre import ACTS, act_numbered
from lossviz.ui.learn.live_page import open_made
from lossviz.ui.session.staging import Staging
from lossviz.ui.session.state import State
from lossviz.ui.train.live import recorded, recording_on_stage

__all__ = ["FRAME", "arrive_at_frame", "frame_name"]

FRAME = "frame"
_NAME = re.compile(r"([1-9])\.([01])-(right|wrong)-([0-9]{1,4})")
NAMES = {"right": "right run", "wrong": "bug"}


def frame_name(staging: Staging, side: str, step: int) -> str:
    """A frame as an address names it: act, pair, side, step.

    >>> frame_name(Staging(), "wrong", 80)
    '1.0-wrong-80'
    """
    return f"{staging.act.number}.{staging.variant}-{side}-{step}"


def arrive_at_frame(state: State) -> None:
    """On a page that a frame's link opened, put the frame's batch on the screen, once."""
    found = _NAME.fullmatch(st.query_params.pop(FRAME, ""))
    if found is None or int(found[1]) > len(ACTS):
        return
    act, variant, side, step = act_numbered(int(found[1])), int(found[2]), found[3], int(found[4])
    staging = state.staging
    on_stage = staging.act is act and staging.variant == variant
    if variant >= len(act.settings):
        return
    recording = recording_on_stage(staging) if on_stage else recorded(act.settings[variant])
    if recording is None or step not in recording.steps:
        return
    batch = recording.side(side).batch(recording.steps.index(step))
    optimizer = f", {act.settings[variant].optimizer}" if len(act.settings) > 1 else ""
    open_made(state, f"{act.title}{optimizer}: {NAMES[side]}, step {step}", batch, staging.cell if on_stage else None)
