"""The code that reproduces an analysis: one short script each for TensorFlow, PyTorch, JAX and NumPy.

The scripts import none of lossviz and are run by the tests. Why so: docs/decisions/0008-reproduce.md.
"""

from lossviz.analysis import Analysis
from lossviz.errors import InputError
from lossviz.reproduce._libraries import LIBRARIES
from lossviz.reproduce._script import FILE, INLINE_LOGITS, needs_file, script

__all__ = ["FILE", "INLINE_LOGITS", "LIBRARIES", "code", "needs_file"]


def code(analysis: Analysis, library: str) -> str:
    """A script that computes the number of an analysis from its batch and prints it.

    Batches of up to `INLINE_LOGITS` logits are written into the script; others are read from `FILE`, which
    `lossviz.write(batch.fields(), FILE)` creates. `needs_file` says which.

    Args:
        analysis: its batch, mask, reduction and flags are reproduced.
        library: the name of one of `LIBRARIES`.

    Raises:
        InputError: if there is no such library.

    >>> import numpy as np
    >>> from lossviz import Batch, analyze
    >>> analysis = analyze(Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]], lengths=[1]))
    >>> exec(code(analysis, "numpy"))  # ln 4, over the one timestep that counts
    1.3862943611198906
    """
    for known in LIBRARIES:
        if known.name == library:
            return script(analysis, known)
    names = ", ".join(repr(known.name) for known in LIBRARIES)
    raise InputError(f"`library` must be one of {names}; got {library!r}.")
