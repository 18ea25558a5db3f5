"""The path for small batches: one TensorFlow graph in float64 for every shape, traced once, never compiled."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.engine._formulas import LOWEST, Row, finish, leader
from lossviz.engine._walk import Progress, Work, walk
from lossviz.timesteps import TOP

__all__ = ["BLOCK", "diagnose_small"]

BLOCK = 1 << 18
"""Elements in one block: 2 MB, because TensorFlow's allocator never gives memory back."""


def diagnose_small(
    logits: np.ndarray,
    targets: np.ndarray,
    store: Callable[[int, int, dict[str, np.ndarray]], None],
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Calls `store(start, stop, numbers)` for every block of logits [N, V] and targets [N] int32 (-1: no class)."""
    graph = _graph()

    @contextlib.contextmanager
    def worker() -> Iterator[Work]:
        yield work

    def work(start: int, stop: int) -> None:
        x = logits[start:stop].astype(np.float64, copy=False)
        outputs = graph(tf.constant(x), tf.constant(targets[start:stop]))
        store(start, stop, {name: value.numpy() for name, value in outputs.items()})

    rows = max(1, BLOCK // logits.shape[1])
    walk(len(targets), rows, worker, progress, cancelled)


@functools.cache
def _graph() -> Any:
    signature = [tf.TensorSpec([None, None], tf.float64), tf.TensorSpec([None], tf.int32)]
    return tf.function(_rows, input_signature=signature, autograph=False).get_concrete_function()


def _rows(x: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:
    lowest = tf.constant(float("-inf"), tf.float64)
    columns = tf.range(tf.shape(x)[1])[None]
    is_target = columns == y[:, None]
    at_target = tf.reduce_max(tf.where(is_target, x, lowest), 1)
    values, classes = tf.math.top_k(tf.where(tf.math.is_nan(x), lowest, x), tf.minimum(TOP, tf.shape(x)[1]))
    largest, best = leader(values, classes, y)
    z = tf.maximum(x - tf.where(largest == lowest, tf.zeros_like(largest), largest)[:, None], LOWEST)
    e = tf.where(is_target | (columns == best[:, None]), tf.zeros_like(x), tf.exp(z))
    return finish(
        Row(
            rest=tf.reduce_sum(e, 1),
            moment=tf.reduce_sum(e * z, 1),
            squares=tf.reduce_sum(e * e, 1),
            greater=_count(x > at_target[:, None]),
            non_finite=_count(~tf.math.is_finite(x)),
            largest=largest,
            at_target=at_target,
            has_target=y >= 0,
            values=values,
            classes=classes,
            redo=tf.zeros_like(y, tf.bool),
        )
    )


def _count(flags: tf.Tensor) -> tf.Tensor:
    return tf.reduce_sum(tf.cast(flags, tf.int32), 1)
