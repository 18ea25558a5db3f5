"""The app, whose trainings replay the recording of act 1, and wait in the middle for a file that the test makes."""

import streamlit as st

from lossviz import theatre
from lossviz.ui.frame import run
from tests.browser.harness import ARTIFACTS
from tests.replay import replaying


@st.cache_resource
def replayed() -> theatre.Jobs:
    return replaying(gate=ARTIFACTS / "train-gate")


theatre.jobs = replayed()
run()
