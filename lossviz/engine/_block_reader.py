"""Reads blocks of rows of [B, T, V] logits as tensors: in place, or through one aligned buffer per worker."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.arrays import file_location
from lossviz.engine._buffers import borrowed, in_place, is_aligned
from lossviz.errors import InputError
from lossviz.mapped_arrays import MappedArray, require_unchanged

__all__ = ["Reader", "reader"]


class Reader:
    """Reads blocks of up to `rows` timesteps of [B, T, V] logits, numbered across sequences; one reader per thread."""

    in_place = True

    def __init__(self, logits: np.ndarray, buffer: np.ndarray) -> None:
        self._logits, self._buffer = logits, buffer
        self._tensor = in_place(_dlpack_dtype(buffer))
        shape = (-1, logits.shape[2])
        self._flat = logits.reshape(shape) if logits.flags.c_contiguous and logits.dtype.isnative else None

    def read(self, start: int, stop: int) -> tuple[np.ndarray, tf.Tensor]:
        """The rows [start, stop) as an array, and as a tensor of `rows` rows; those past the end are arbitrary."""
        block = self._in_memory(start, stop)
        if block is None:
            block, tensor = self._buffer, self._tensor
            self._fill(start, stop)
        else:
            tensor = in_place(_dlpack_dtype(block))
        require_unchanged(self._logits)
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
    """Reads a mapped file directly, bypassing the map: mapped pages count as the process's memory, read ones do not."""

    in_place = False

    def __init__(self, logits: np.ndarray, buffer: np.ndarray, file: int, offset: int) -> None:
        super().__init__(logits, buffer)
        self._file, self._offset = file, offset
        self._bytes = memoryview(buffer.view(np.uint8).data).cast("B")
        self._row = logits.shape[2] * logits.dtype.itemsize

    def _fill(self, start: int, stop: int) -> None:
        done, size = 0, (stop - start) * self._row
        while done < size:
            got = os.preadv(self._file, [self._bytes[done:size]], self._offset + start * self._row + done)
            if got == 0:
                raise InputError("`logits` are mapped from a file that became shorter. Open it again.")
            done += got


@contextlib.contextmanager
def reader(logits: np.ndarray, rows: int) -> Iterator[Reader]:
    """Opens a reader of blocks of `rows` rows."""
    location = file_location(logits) if hasattr(os, "preadv") else None
    with borrowed(rows, logits.shape[2], logits.dtype.newbyteorder("=")) as buffer:
        if location is None:
            yield Reader(logits, buffer)
            return
        path, offset = location
        opened = logits.opened if isinstance(logits, MappedArray) else None
        require_unchanged(logits)
        try:
            file = os.open(path, os.O_RDONLY) if opened is None else os.dup(opened.fileno())
        except OSError:  # moved or deleted: the map still holds it
            yield Reader(logits, buffer)
            return
        try:
            yield (
                _FileReader(logits, buffer, file, offset)
                if opened is not None or _is_mapped(logits, file, offset)
                else Reader(logits, buffer)
            )
        finally:
            os.close(file)


def _is_mapped(logits: np.ndarray, file: int, offset: int) -> bool:
    """Whether the file of that name still holds what is mapped, judged by the last sequence's last timestep."""
    last = np.ascontiguousarray(logits[-1, -1])
    return os.pread(file, last.nbytes, offset + logits.nbytes - last.nbytes) == last.tobytes()


def _dlpack_dtype(array: np.ndarray) -> Any:
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array
