"""The long waits: loading TensorFlow once, and computing with progress and a way to stop."""

import sys
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import cache, partial
from threading import Event

import streamlit as st

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.errors import InputError, SettingsError
from lossviz.settings import Settings
from lossviz.ui.session.state import State
from lossviz.ui.shared.settings_panel import UNREDUCED, chosen_settings
from lossviz.ui.shared.widgets import say

__all__ = ["LONG", "analyzed", "compute", "engine_is_ready", "has_number", "load_engine", "stopped"]

_ready = Event()
_LOOK = 0.1  # seconds
LONG = 20_000_000  # logits: about a tenth of a second, from where on a progress bar is worth its flicker


def engine_is_ready() -> bool:
    """Whether TensorFlow is loaded in this process."""
    return _ready.is_set()


def load_engine() -> None:
    """Import TensorFlow once per process; a page that is left meanwhile does not wait for it."""
    if engine_is_ready():
        return
    loading = _loading()
    with st.spinner("Loading TensorFlow. This happens once and takes a few seconds."):
        pause = st.empty()
        while not wait([loading], _LOOK).done:
            pause.empty()  # ends the run of a page that was left
    loading.result()


@cache
def _loading() -> Future[None]:
    """The import, in a thread of its own: begun by the first call, for all visitors."""
    return ThreadPoolExecutor(1, "engine").submit(_load)


def _load() -> None:
    from lossviz.engine import load_tensorflow

    load_tensorflow()
    _keep_keras()
    _ready.set()


def _keep_keras() -> None:
    """Disable the `clear_session()` that Streamlit calls after every run (0.2 s each).

    Streamlit calls it whenever the module `keras.backend` is loaded, and TensorFlow loads it. The app keeps nine models
    at most, so nothing accumulates.
    """
    keras = sys.modules.get("keras")
    if keras is not None:
        keras.backend.clear_session = lambda *_, **__: None


def analyzed(state: State) -> tuple[Analysis, str]:
    """The analysis of the batch on screen, and why the chosen reduction has no number, or ""."""
    run = partial(compute, state)
    try:
        return state.analysis(run, chosen_settings()), ""
    except SettingsError as error:
        return state.analysis(run, UNREDUCED), str(error)
    except InputError as error:  # a file changed on disk: what was computed before is still what it held
        last = state.last_analysis
        if last is None:
            say("error", str(error))
            st.stop()
        state.refusal = str(error)
        return last, ""


def has_number(analysis: Analysis) -> bool:
    """Whether the chosen reduction gives a result; while its flags are refused, the analysis stands for the losses."""
    return analysis.settings != UNREDUCED or chosen_settings() == UNREDUCED


def compute(state: State, batch: Batch, settings: Settings) -> Analysis:
    """Analyze a batch; a long computation shows its progress and a button that stops it."""
    if batch.logits is None or batch.logits.size < LONG:
        return analyze(batch, settings)
    place = st.container(horizontal=True, vertical_alignment="center")
    place.button("Stop", key="stop", on_click=partial(_stop, state, batch), help="The rest of the page waits for this.")
    bar = place.progress(0.0, f"Computing {batch.logits.size:,} logits")

    def show(done: int, total: int) -> None:
        # Pressing a button ends this run at the next call to Streamlit, which is here.
        bar.progress(done / total, f"Computing: {done:,} of {total:,} timesteps")

    return analyze(batch, settings, progress=show)


def stopped(state: State) -> bool:
    """Whether the user stopped the computation of the batch on screen; offers to start it again."""
    if state.stopped is None or state.source is None or state.stopped is not state.source.current:
        return False
    st.info("Stopped. Nothing was computed for this batch.")
    st.button("Compute", key="compute", on_click=partial(_stop, state, None))
    return True


def _stop(state: State, batch: Batch | None) -> None:
    state.stopped = batch
