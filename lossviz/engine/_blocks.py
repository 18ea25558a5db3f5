"""The path for large batches: two threads, each with a buffer of its own, call one program on blocks of rows."""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from lossviz.engine import _ops, _xla, _xla_flags
from lossviz.engine._block_reader import reader
from lossviz.engine._programs import program_of
from lossviz.engine._top import top_of_rows
from lossviz.engine._walk import Progress, walk

__all__ = ["BLOCKS_FROM", "diagnose_blocks", "rows_of_program"]

BLOCKS_FROM = 1 << 21
"""The smallest batch for this path, in elements: below it, compiling costs more than it saves."""

XLA_ELEMENTS = 5 << 19
OPS_ELEMENTS = 1 << 19
Store = Callable[[int, int, dict[str, np.ndarray]], None]


def diagnose_blocks(
    logits: np.ndarray,
    targets: np.ndarray,
    store: Store,
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Calls `store(start, stop, numbers)` for each block of logits [B, T, V] and targets [B·T] int32 (-1: no class)."""
    count, classes = len(targets), logits.shape[2]
    fast = _xla_flags.available()
    rows = _rows(count, classes, XLA_ELEMENTS if fast else OPS_ELEMENTS)
    program = program_of(_xla.compiled if fast else _ops.graph, rows, classes, logits.dtype.name)

    @contextlib.contextmanager
    def worker() -> Iterator[Callable[[int, int], None]]:
        labels = np.full(rows, -1, np.int32)
        with reader(logits, rows) as source:

            def work(start: int, stop: int) -> None:
                block, x = source.read(start, stop)
                labels[: stop - start] = targets[start:stop]
                outputs = program(x, tf.constant(labels))
                numbers = {name: value.numpy()[: stop - start] for name, value in outputs.items()}
                store(start, stop, _with_care(numbers, block))

            yield work

    walk(count, rows, worker, progress, cancelled)


def rows_of_program(count: int, classes: int) -> int:
    """How many rows an XLA program reads at once."""
    return _rows(count, classes, XLA_ELEMENTS)


def _rows(count: int, classes: int, elements: int) -> int:
    """A power of two, so that few programs are compiled; at most half of the rows, so that both threads have work."""
    most = max(1, min(elements // classes, -(-count // 2)))
    return 1 << (most.bit_length() - 1)


def _with_care(numbers: dict[str, np.ndarray], block: np.ndarray) -> dict[str, np.ndarray]:
    """Redoes the top classes of the few rows whose ties the program may have broken wrongly, or that hold NaN."""
    redo = numbers["redo"]
    if redo.any():
        numbers["top_classes"] = numbers["top_classes"].copy()
        numbers["top_classes"][redo] = top_of_rows(block[redo])
    return numbers
