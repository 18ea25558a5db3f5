"""The one import of TensorFlow that is timed, quiet, and followed by a frozen garbage collector.

Every other module of the engine says `import tensorflow as tf`; the package imports this one first.
"""

import contextlib
import gc
import os
import sys
import threading
from typing import Any

import numpy as np

from lossviz.errors import require

__all__ = ["load_tensorflow"]

_once = threading.Lock()
_state = {"ready": False}


def _silence() -> None:
    """Silences the C++ log, since its errors also reach Python as exceptions; keeps a level that the user chose."""
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL")
    if level is None or (level == "1" and "jax" in sys.modules):  # JAX sets 1 when it is imported
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"


def _import_quietly() -> Any:
    """Imports TensorFlow with its C++ log silenced and the garbage collector off."""
    _silence()
    collecting = gc.isenabled()
    gc.disable()  # a fifth of the import time is spent on collections that find nothing
    try:
        return require("tensorflow", "Computing losses")
    finally:
        if collecting:
            gc.enable()


tf = _import_quietly()


def _leave_the_threads_to_lossviz() -> None:
    """Sets one thread per operation, unless the user chose otherwise: two of our threads run blocks in parallel."""
    if tf.config.threading.get_intra_op_parallelism_threads() == 0:
        with contextlib.suppress(RuntimeError):  # TensorFlow has already run something, and keeps its threads
            tf.config.threading.set_intra_op_parallelism_threads(1)


def _trace() -> None:
    """Runs the first operation, and traces the graph that answers small batches, so that the first edit is as fast."""
    from lossviz.engine.per_timestep import per_timestep  # imported late: it imports this module

    per_timestep(np.zeros((1, 1, 1)), np.zeros((1, 1), int))


def load_tensorflow() -> Any:
    """Warms TensorFlow up and returns the module; meant for a background thread, and safe to call twice.

    It diagnoses a first, tiny batch and then moves everything allocated so far out of the garbage collector's sight
    (`gc.freeze`): Streamlit collects after every rerun, and with TensorFlow's objects that takes 0.2 s each time. Only
    for processes that lossviz owns (the app, the command line), because it also sets one thread per operation.

    Returns:
        The `tensorflow` module.

    Example:
        >>> load_tensorflow().constant(2).numpy() + 1
        np.int32(3)
    """
    with _once:
        if not _state["ready"]:
            _leave_the_threads_to_lossviz()
            _trace()
            gc.collect()
            gc.freeze()  # frozen objects are never collected, so this happens once
            _state["ready"] = True
    return tf
