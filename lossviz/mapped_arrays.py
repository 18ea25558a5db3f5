"""Arrays mapped from a file that may be replaced or rewritten while it is open."""

import io
import os
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lossviz.display_text import escaped
from lossviz.errors import InputError

__all__ = ["MappedArray", "map_array", "require_unchanged"]


class _File(io.FileIO):
    """A file that closes with the last array mapped from it."""

    def __del__(self) -> None:
        self.close()


class MappedArray(np.memmap):
    """A memory-mapped array that keeps its file open, so that a file renamed over it later is never read for it.

    A file that changes in place changes the map too, and a shorter one kills the process that touches the map (SIGBUS):
    indexing refuses such a file in words.
    """

    opened: io.FileIO | None = None
    stamp: tuple[int, int] = (0, 0)

    def __array_finalize__(self, obj: Any) -> None:
        super().__array_finalize__(obj)
        if getattr(self, "_mmap", None) is not None:  # a view, and not the result of a computation
            self.opened = getattr(obj, "opened", None)
            self.stamp = getattr(obj, "stamp", (0, 0))

    def require_unchanged(self) -> None:
        """Refuse a file that was written to since it was mapped.

        Raises:
            InputError: its size or its time of modification is another one.
        """
        if self.opened is not None and _stamp(self.opened) != self.stamp:
            raise InputError(f"`{escaped(Path(str(self.opened.name)).name)}` changed on disk: open it again.")

    def __repr__(self) -> str:
        self.require_unchanged()
        return super().__repr__()

    def __getitem__(self, key: Any) -> Any:
        self.require_unchanged()
        return super().__getitem__(key)


def require_unchanged(array: np.ndarray) -> None:
    """Refuse numbers that were just read from a file which was written to meanwhile; other arrays can't change.

    Raises:
        InputError: the file behind the array is not as it was when it was mapped.
    """
    if isinstance(array, MappedArray):
        array.require_unchanged()


def _stamp(file: io.FileIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


def map_array(
    file: Path | io.FileIO,
    dtype: np.dtype[Any],
    shape: tuple[int, ...],
    offset: int,
    *,
    order: Literal["C", "F"] = "C",
    mode: Literal["r", "c"] = "r",
) -> MappedArray:
    """Map an array of a file: read-only ("r"), or with writes that stay private to this process ("c")."""
    opened = _File(str(file)) if isinstance(file, Path) else file
    array = MappedArray(opened, dtype, mode, offset, shape, order)
    array.opened, array.stamp = opened, _stamp(opened)
    return array
