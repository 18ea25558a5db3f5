"""The losses that a mistaken training loop would print, and the terms of label smoothing and the z-loss."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np
import tensorflow as tf

from lossviz.engine import _alternatives_xla, _xla_flags
from lossviz.engine._alternatives import LOSSES, exact_graph, fast_graph
from lossviz.engine._block_reader import reader
from lossviz.engine._blocks import rows_of_program
from lossviz.engine._checks import require_timesteps
from lossviz.engine._programs import program_of
from lossviz.engine._walk import Progress, Work, walk

__all__ = ["Alternatives", "alternative_losses"]

FAST_FROM = 1 << 21
"""Elements from which float32 pays off: below it, float64 takes only 0.05 s."""

XLA_FROM = 1 << 27
"""Elements from which compiling pays off, which takes a second."""

BLOCK = 1 << 19
"""Elements in one block: what TensorFlow's kernels write stays in cache."""

Numbers = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Alternatives:
    """What every timestep's loss would have been; float64 NumPy arrays [B, T] in nats, whatever the mask.

    The last four need the target: they are NaN where it lies outside [0, V).

    Attributes:
        logsumexp: log Σ_v exp(z_v), which the z-loss squares; +inf where a logit is.
        uniform_loss: mean_v(-log p_v), what label smoothing adds; +inf where a logit is -inf.
        twice: the loss of a softmax that is applied twice, log Σ_v exp(p_v) - p_target with p = softmax(z).
        as_probabilities: the loss if raw logits are taken for probabilities (`from_logits=False`).
        in_bfloat16: the loss of the logits rounded to bfloat16, otherwise in full precision.
        in_float16: the loss of the logits rounded to float16, where more than 65,504 is inf.
    """

    logsumexp: np.ndarray
    uniform_loss: np.ndarray
    twice: np.ndarray
    as_probabilities: np.ndarray
    in_bfloat16: np.ndarray
    in_float16: np.ndarray


def alternative_losses(
    logits: np.ndarray,
    targets: np.ndarray,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Alternatives:
    """Computes the losses of common mistakes for every timestep, in one pass over blocks of rows.

    Sources: MOD-01, MOD-02 and NUM-06 of spec/padding-bugs.md. `as_probabilities` follows
    `sparse_categorical_crossentropy` of `keras/src/backend/tensorflow/nn.py`, Keras 3.15.1: clip to [1e-7, 1 - 1e-7],
    take the log, then TensorFlow's cross entropy, so log Σ_v clip(z_v) - log clip(z_target).

    In a row that holds NaN every number is NaN. In a row that holds +inf, or nothing but -inf, every number except
    `logsumexp` and `as_probabilities` is NaN. float64 logits and small batches are computed in float64, others with
    sums in float32: relative error below 1e-6 for any offset of the logits; up to 5e-6 in a loss below 1e-7; absolute
    error below 1e-6 in a `logsumexp` that is near 0.

    Args:
        logits: floats [B, T, V]: float16, bfloat16, float32 or float64, in memory, a `np.memmap`, or left in a file.
        targets: integers [B, T].
        progress: called as `progress(done, total)` in timesteps, on the calling thread, between blocks; an exception
            that it raises stops the work and goes on to the caller.
        cancelled: asked between blocks; True stops the work.

    Returns:
        `Alternatives` of [B, T] arrays.

    Raises:
        InputError: a rank, shape or dtype that does not fit.
        Cancelled: `cancelled()` said so.

    Example:
        spec/padding-bugs.md, MOD-02: clipped to (1, 1e-7, 0.5), log 1.5 = 0.4055 instead of the loss 0.2413.

        >>> losses = alternative_losses(np.array([[[2.0, -1.0, 0.5]]]), np.array([[0]]))
        >>> losses.as_probabilities.round(4).tolist(), (losses.logsumexp - 2).round(4).tolist()
        ([[0.4055]], [[0.2413]])
    """
    require_timesteps(logits, targets)
    count = targets.size
    results = {field.name: np.empty(count) for field in fields(Alternatives)}
    labels = np.where(_is_class(targets, logits.shape[2]), targets, -1).astype(np.int32).reshape(-1)

    def store(start: int, stop: int, numbers: Numbers) -> None:
        for name, array in results.items():
            array[start:stop] = numbers[name]

    if count:
        _compute(logits, labels, store, progress, cancelled)
    return Alternatives(**{name: array.reshape(targets.shape) for name, array in results.items()})


def _is_class(targets: np.ndarray, classes: int) -> np.ndarray:
    known: np.ndarray = (targets >= 0) & (targets < classes)
    return known


def _compute(
    logits: np.ndarray,
    labels: np.ndarray,
    store: Callable[[int, int, Numbers], None],
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
) -> None:
    """Calls `store(start, stop, numbers)` for each block of logits [B, T, V] and targets [B·T] int32 (-1: no class)."""
    count, classes = len(labels), logits.shape[2]
    is_narrow = logits.dtype.itemsize < 8
    if is_narrow and logits.size >= XLA_FROM and _xla_flags.available():
        rows = rows_of_program(count, classes)
        function = _by_xla(rows, classes, logits.dtype.name)
    else:
        rows = max(1, min(BLOCK // classes, -(-count // 2)))
        function = _fast if is_narrow and logits.size >= FAST_FROM else _exact

    @contextlib.contextmanager
    def worker() -> Iterator[Work]:
        with reader(logits, rows) as source:

            def work(start: int, stop: int) -> None:
                block, x = source.read(start, stop)
                y = labels[start:stop]
                numbers = function(block, x, y)
                for name in LOSSES:
                    numbers[name] = np.where(y < 0, np.nan, numbers[name])
                store(start, stop, numbers)

            yield work

    walk(count, rows, worker, progress, cancelled)


def _exact(_: np.ndarray, x: tf.Tensor, y: np.ndarray) -> Numbers:
    return _as_arrays(exact_graph()(tf.cast(x[: len(y)], tf.float64), tf.constant(y)))


def _fast(block: np.ndarray, x: tf.Tensor, y: np.ndarray) -> Numbers:
    return _mended(_as_arrays(fast_graph()(tf.cast(x[: len(y)], tf.float32), tf.constant(y))), block, y)


def _by_xla(rows: int, classes: int, dtype: str) -> Callable[[np.ndarray, tf.Tensor, np.ndarray], Numbers]:
    program = program_of(_alternatives_xla.compiled, rows, classes, dtype)

    def function(block: np.ndarray, x: tf.Tensor, y: np.ndarray) -> Numbers:
        padded = np.pad(y, (0, rows - len(y)), constant_values=-1)
        numbers = {name: array[: len(y)] for name, array in _as_arrays(program(x, tf.constant(padded))).items()}
        return _mended(numbers, block, y)

    return function


def _mended(numbers: Numbers, block: np.ndarray, y: np.ndarray) -> Numbers:
    """The float32 sums, with rows that hold NaN, +inf or nothing but -inf redone in float64."""
    odd = numbers.pop("redo")
    if odd.any():
        mended = _as_arrays(exact_graph()(tf.constant(block[odd].astype(np.float64)), tf.constant(y[odd])))
        for name in mended:
            numbers[name] = numbers[name].copy()
            numbers[name][odd] = mended[name]
    return numbers


def _as_arrays(outputs: dict[str, tf.Tensor]) -> Numbers:
    return {name: value.numpy() for name, value in outputs.items()}
