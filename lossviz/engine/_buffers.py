"""Memory that TensorFlow may use in place: aligned by construction, and reused, because fresh pages are slow."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

__all__ = ["ALIGNMENT", "borrowed", "in_place", "is_aligned"]

ALIGNMENT = 64
"""Bytes. TensorFlow aborts the process when it is handed a DLPack tensor that is aligned to less."""

KEPT = 4
_free: list[np.ndarray] = []
_lock = threading.Lock()


@contextlib.contextmanager
def borrowed(rows: int, classes: int, dtype: np.dtype[Any]) -> Iterator[np.ndarray]:
    """An aligned, writable array [rows, classes] with arbitrary contents, given back when the block ends."""
    size = rows * classes * dtype.itemsize
    memory = _take(size)
    try:
        yield _align(memory)[:size].view(dtype).reshape(rows, classes)
    finally:
        with _lock:
            if len(_free) < KEPT:
                _free.append(memory)


def _take(size: int) -> np.ndarray:
    with _lock:
        for place, memory in enumerate(_free):
            if size + ALIGNMENT <= memory.size:
                return _free.pop(place)
        _free.clear()  # too small for what is wanted now
    return np.zeros(size + ALIGNMENT, np.uint8)


def _align(memory: np.ndarray) -> np.ndarray:
    return memory[-memory.ctypes.data % ALIGNMENT :]


def is_aligned(array: np.ndarray) -> bool:
    """Whether the array starts at an address that TensorFlow accepts."""
    return array.ctypes.data % ALIGNMENT == 0


def in_place(array: np.ndarray) -> tf.Tensor:
    """A tensor over the memory of a C-contiguous array, copied only where it has to be."""
    if not is_aligned(array):
        return tf.constant(array)
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
