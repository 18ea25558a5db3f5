"""Reads blocks of rows of [B, T, V] logits as tensors: in place, or through one aligned buffer per worker."""

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.arrays import file_location
from lossviz.engine._buffers import borrowed, in_place, is_aligned
from lossviz.errors import InputError
from lossviz.file_arrays import FileArray, open_array

__all__ = ["Reader", "reader"]


class Reader:
    """Reads blocks of up to `rows` timesteps of [B, T, V] logits, numbered across sequences; one reader per thread."""

    in_place = True

    def __init__(self, logits: Any, buffer: np.ndarray) -> None:
        self._logits, self._buffer = logits, buffer
        self._tensor = in_place(_dlpack_dtype(buffer))
        is_flat = isinstance(logits, np.ndarray) and logits.flags.c_contiguous and logits.dtype.isnative
        self._flat = logits.reshape(-1, logits.shape[2]) if is_flat else None

    def read(self, start: int, stop: int) -> tuple[np.ndarray, tf.Tensor]:
        """The rows [start, stop) as an array, and as a tensor of `rows` rows; those past the end are arbitrary."""
        block = self._in_memory(start, stop)
        if block is None:
            block, tensor = self._buffer, self._tensor
            self._fill(start, stop)
        else:
            tensor = in_place(_dlpack_dtype(block))
        if tensor.dtype == tf.uint16:
            tensor = tf.bitcast(tensor, tf.bfloat16)
        return block[: stop - start], tensor

    def _in_memory(self, start: int, stop: int) -> np.ndarray | None:
        if not self.in_place or self._flat is None or stop - start < len(self._buffer):
            return None
        block = self._flat[start:stop]
        return block if is_aligned(block) and block.flags.writeable else None

    def _fill(self, start: int, stop: int) -> None:
        if self._flat is not None:
            self._buffer[: stop - start] = self._flat[start:stop]
            return
        time, row = self._logits.shape[1], start
        while row < stop:  # a reshape of an array that is not contiguous would copy all of it
            sequence, first = divmod(row, time)
            last = min(time, first + stop - row)
            self._buffer[row - start : row - start + last - first] = self._logits[sequence, first:last]
            row += last - first


class _FileReader(Reader):
    """Reads a file directly: the pages of a map would count as the process's memory, and end it if the file was cut."""

    in_place = False

    def _fill(self, start: int, stop: int) -> None:
        self._logits.read_into(self._buffer[: stop - start], start * self._logits.shape[2])


@contextlib.contextmanager
def reader(logits: Any, rows: int) -> Iterator[Reader]:
    """Opens a reader of blocks of `rows` rows."""
    file = logits if isinstance(logits, FileArray) else _file_of(logits)
    with borrowed(rows, logits.shape[2], logits.dtype.newbyteorder("=")) as buffer:
        yield Reader(logits, buffer) if file is None or not file.is_one_run else _FileReader(file, buffer)


def _file_of(logits: np.ndarray) -> FileArray | None:
    """What a `np.memmap` maps, if the file of that name still holds it, judged by the last sequence's last timestep."""
    location = file_location(logits)
    if location is None:
        return None
    try:
        array = open_array(location[0], logits.dtype, logits.shape, location[1])
        last = array[-1, -1]
    except (OSError, InputError):  # moved, deleted, or another one: the map still holds it
        return None
    return array if last.tobytes() == logits[-1, -1].tobytes() else None


def _dlpack_dtype(array: np.ndarray) -> Any:
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array
