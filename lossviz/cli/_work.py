"""The long waits of the commands: loading TensorFlow, and computing with progress on a terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.settings import Settings

__all__ = ["compute"]


def compute(batch: Batch, settings: Settings | None = None) -> Analysis:
    """Analyze a batch; on a terminal, show what is being waited for."""
    if batch.logits is not None:  # recorded losses need no engine
        with _quiet_stderr():
            import_module("lossviz.engine")
    return analyze(batch, settings, progress=_show_progress if sys.stderr.isatty() else None)


@contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Suppress the messages that TensorFlow's import writes whatever its log level."""
    if sys.stderr.isatty():
        sys.stderr.write("lossviz: loading TensorFlow")
    sys.stderr.flush()
    saved, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


def _show_progress(done: int, total: int) -> None:
    finished = done >= total
    sys.stderr.write("\r\x1b[K" if finished else f"\rlossviz: {100 * done // total} % of the timesteps computed")
    sys.stderr.flush()
