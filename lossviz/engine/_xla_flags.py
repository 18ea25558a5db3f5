"""Whether the XLA path may be used here, and the flags that make it fast.

XLA reads `XLA_FLAGS` once, at the first compilation of the process, and aborts the process at an unknown flag. So the
flags are added only for known TensorFlow versions, never next to untested flags of the user's, and removed after the
first compilation: other libraries (JAX) and child processes read the same variable.
"""

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import tensorflow as tf

__all__ = ["available"]

KNOWN = ("2.21.0",)
FLAGS = ("--xla_cpu_use_fusion_emitters=false", "--xla_cpu_prefer_vector_width=512")
HARMLESS = ("--xla_force_host_platform_device_count=",)
_lock = threading.Lock()


def available() -> bool:
    """Whether XLA can be used: a known TensorFlow, no untested flags of the user's, and not `LOSSVIZ_XLA=0`.

    Example:
        >>> isinstance(available(), bool)
        True
    """
    if os.environ.get("LOSSVIZ_XLA") == "0":
        return False
    with _lock:
        return _compiles()


@functools.cache
def _compiles() -> bool:
    theirs = os.environ.get("XLA_FLAGS", "")
    if tf.__version__ not in KNOWN or not all(flag in FLAGS or flag.startswith(HARMLESS) for flag in theirs.split()):
        return False
    try:
        with _flags(theirs):
            doubled = tf.function(lambda x: x + x, jit_compile=True, autograph=False)(tf.ones([2]))
    except (tf.errors.OpError, NotImplementedError, ValueError):  # a build without XLA for this processor
        return False
    return bool(tf.reduce_all(doubled == 2))


@contextmanager
def _flags(theirs: str) -> Iterator[None]:
    os.environ["XLA_FLAGS"] = " ".join((*theirs.split(), *FLAGS))
    try:
        yield
    finally:
        if theirs:
            os.environ["XLA_FLAGS"] = theirs
        else:
            del os.environ["XLA_FLAGS"]
