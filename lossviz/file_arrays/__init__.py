"""Arrays that stay in their file, which may be replaced, rewritten or cut off while it is open.

A memory map would be shorter, and was: the kernel ends a process that touches a page of a map whose file was cut off
(SIGBUS), and Python can't catch that. A read that comes back short is an error like any other.
"""

import numpy as np

from lossviz.file_arrays._file_array import FileArray, open_array, require_unchanged

__all__ = ["ARRAYS", "FileArray", "open_array", "require_unchanged"]

ARRAYS = (np.ndarray, FileArray)
"""For `isinstance`: what has a shape, a dtype and entries, in memory or in a file."""
