"""A file that is read to the end as it was opened, or refused."""

import io
import os
import threading
from pathlib import Path

import numpy as np

from lossviz.display_text import escaped
from lossviz.errors import InputError

__all__ = ["OpenFile"]


class OpenFile(io.FileIO):
    """An open file, and how it was then; it closes with the last array in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._lock = threading.Lock()
        self._stamp = self._stamped()

    def __del__(self) -> None:
        self.close()

    @property
    def label(self) -> str:
        """Its name, for messages."""
        return escaped(Path(str(self.name)).name)

    @property
    def length(self) -> int:
        """How many bytes it had when it was opened."""
        return self._stamp[0]

    def require_unchanged(self) -> None:
        """Refuse a file that was written to since it was opened.

        Raises:
            InputError: its size or its time of modification is another one.
        """
        if self._stamped() != self._stamp:
            raise self.changed()

    def changed(self) -> InputError:
        """The refusal of a file that is not as it was."""
        return InputError(f"`{self.label}` changed on disk: open it again.")

    def fill(self, out: np.ndarray, place: int) -> None:
        """Fill an array of bytes with what stands from `place` on, of the file that was opened and no later one.

        Raises:
            InputError: the file was written to since it was opened.
        """
        left = out.data
        while left:
            got = self._read(left, place)
            if not got:
                raise self.changed()
            left, place = left[got:], place + got
        self.require_unchanged()

    def _read(self, out: memoryview, place: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self.fileno(), [out], place)
        with self._lock:
            self.seek(place)
            return self.readinto(out) or 0

    def _stamped(self) -> tuple[int, int]:
        status = os.fstat(self.fileno())
        return status.st_size, status.st_mtime_ns
