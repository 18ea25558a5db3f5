"""The long waits, and what must not be done after every run."""

import subprocess
import sys

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
