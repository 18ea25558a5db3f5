"""The long waits, and what must not be done after every run."""

import gc
import subprocess
import sys
from concurrent.futures import Future
from concurrent.futures import wait as futures_wait
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lossviz.ui import frame
from lossviz.ui.shared import computation
from tests.ui.driver import open_page

SCRIPT = """
import sys
from lossviz.ui.shared.computation import engine_is_ready, load_engine
assert not engine_is_ready() and "tensorflow" not in sys.modules
load_engine()
assert engine_is_ready()
import numpy as np
from streamlit.runtime.scriptrunner.script_runner import _clean_problem_modules
from lossviz import Batch, analyze
from lossviz.engine import _graph
batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]])
analyze(batch)
traced = _graph._graph()
_clean_problem_modules()
analyze(batch)
assert _graph._graph() is traced
keras = sys.modules["keras"]
print(keras.backend.clear_session.__module__)
"""


def test_streamlit_resets_no_keras_after_a_run() -> None:
    """Streamlit calls `keras.backend.clear_session` where Keras is loaded; in the app it is ours: it does nothing."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "lossviz.ui.shared.computation"), done.stderr


def test_page_that_is_left_does_not_wait_for_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """While it loads, the page calls Streamlit again and again: there a run ends once another page is asked for."""
    loading: Future[None] = Future()
    looks = iter("abc")

    def wait(futures: list[Future[Any]], seconds: float) -> Any:
        if next(looks) == "c":
            loading.set_result(None)
        return futures_wait(futures, seconds)

    monkeypatch.setattr(computation, "_loading", lambda: loading)
    monkeypatch.setattr(computation, "_LOOK", 0.0)
    monkeypatch.setattr(computation, "wait", wait)
    monkeypatch.setattr(computation, "engine_is_ready", lambda: False)
    calls: list[str] = []
    monkeypatch.setattr("streamlit.delta_generator.DeltaGenerator.empty", lambda _: calls.append("empty"))
    AppTest.from_string("from lossviz.ui.shared.computation import load_engine\nload_engine()").run()
    assert calls == ["empty", "empty"]


def test_what_was_imported_is_hidden_from_the_garbage_collector_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit collects after every run."""
    frozen: list[str] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append("frozen"))
    frame._settle.cache_clear()
    for _ in range(2):
        open_page("train")
    assert frozen == ["frozen"]
