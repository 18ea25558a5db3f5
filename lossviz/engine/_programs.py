"""The programs that read blocks of one size, each made once."""

import functools
import threading
from collections.abc import Callable
from typing import Any

import tensorflow as tf

__all__ = ["program_of"]

Make = Callable[[int, int, Any], Any]
_lock = threading.Lock()


def program_of(make: Make, rows: int, classes: int, dtype: str) -> Any:
    """The program `f(x [rows, classes], y [rows] int32)` that `make(rows, classes, dtype)` gives, compiled.

    >>> counted = program_of(lambda rows, classes, dtype: lambda x, y: rows * classes, 2, 3, "float32")
    >>> counted(None, None)
    6
    """
    with _lock:  # two sessions that ask for the same program get one
        return _made(make, rows, classes, dtype)


@functools.lru_cache(maxsize=24)
def _made(make: Make, rows: int, classes: int, dtype: str) -> Any:
    program = make(rows, classes, tf.as_dtype(dtype))
    program(tf.zeros([rows, classes], dtype), tf.zeros([rows], tf.int32))
    return program
