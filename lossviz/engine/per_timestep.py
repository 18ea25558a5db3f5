"""The diagnosis of every timestep, streamed: loss, probability, entropy, rank, gradient, top classes."""

import functools
from collections.abc import Callable
from dataclasses import fields

import numpy as np

from lossviz.engine import _blocks, _graph
from lossviz.engine._checks import require_timesteps
from lossviz.engine._walk import Progress
from lossviz.file_arrays import require_unchanged
from lossviz.timesteps import Timesteps

__all__ = ["per_timestep"]


def per_timestep(
    logits: np.ndarray,
    targets: np.ndarray,
    *,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Timesteps:
    """Diagnoses every timestep, in blocks of rows, so that the memory used does not grow with B·T.

    float64 logits are computed in float64, all others in float32 with float64 last steps, in the form that leaves the
    target out (relative error of the loss ≤ 2e-6 at any confidence).

    Args:
        logits: floats [B, T, V]: float16, bfloat16, float32 or float64, in memory, a `np.memmap`, or left in a file.
        targets: integers [B, T].
        progress: called as `progress(done, total)` in timesteps, on the calling thread, between blocks; an exception
            that it raises stops the work and goes on to the caller.
        cancelled: asked between blocks; True stops the work.

    Returns:
        `Timesteps` of [B, T] arrays.

    Raises:
        InputError: a rank, shape or dtype that does not fit.
        Cancelled: `cancelled()` said so.

    Example:
        >>> numbers = per_timestep(np.zeros([1, 1, 4]), np.array([[2]]))
        >>> numbers.loss.round(4).tolist(), numbers.rank.tolist(), numbers.top_classes.tolist()
        ([[1.3863]], [[1]], [[[0, 1, 2, 3, -1]]])
    """
    require_timesteps(logits, targets)
    batch, time, classes = logits.shape
    count = batch * time
    results = Timesteps.empty(count)
    labels = np.where((targets >= 0) & (targets < classes), targets, -1).astype(np.int32).reshape(-1)
    store = functools.partial(_store, results)
    if logits.size >= _blocks.BLOCKS_FROM:
        _blocks.diagnose_blocks(logits, labels, store, progress, cancelled)
    elif count:
        _graph.diagnose_small(logits.reshape(count, classes), labels, store, progress, cancelled)
    require_unchanged(logits)
    return results.reshaped(batch, time)


def _store(results: Timesteps, start: int, stop: int, numbers: dict[str, np.ndarray]) -> None:
    """Writes the numbers of a block into its rows; columns beyond V keep what `Timesteps.empty` put there."""
    for field in fields(results):
        rows, block = getattr(results, field.name)[start:stop], numbers[field.name]
        if block.ndim == 2:
            rows[:, : block.shape[1]] = block
        else:
            rows[:] = block
