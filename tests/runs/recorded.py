"""Runs with known arrays, one for each way in which a loop says what counts."""

import warnings

import numpy as np

import lossviz

B, T, V = 3, 6, 9
MASKS = ("weights", "lengths", "ignore_id", "nonpad", "none")


def step_arrays(step, rank=0, micro_batch=0):
    """Targets, losses and lengths; the first row is the same sequence in every step."""
    random = np.random.default_rng([step, rank, micro_batch])
    lengths = np.array([4, *random.integers(1, T + 1, B - 1)])
    targets = random.integers(1, V, (B, T))
    targets[0] = [1, 2, 3, 4, 0, 0]
    losses = random.exponential(size=(B, T)).astype(np.float32)
    return np.where(np.arange(T) < lengths[:, None], targets, 0), losses, lengths


def arguments(mask, targets, lengths):
    """What a loop passes on, and the weight of each timestep that this means, in NumPy."""
    real = (np.arange(T) < lengths[:, None]).astype(float)
    if mask == "weights":
        weights = real * (1 + np.arange(T) % 3) / 2
        return targets, {"weights": weights}, weights
    if mask == "lengths":
        return targets, {"lengths": lengths}, real
    if mask == "ignore_id":
        ignored = np.where(real > 0, targets, -100)
        return ignored, {"details": {"ignore_index": -100}}, real
    return targets, {}, real if mask == "nonpad" else np.ones_like(real)


def record(folder, mask="lengths", steps=range(4), micro_batches=2, change=None, rank=0, **settings):
    """Record, and return the same as rows: (step, rank, micro_batch, row, timestep, target, loss, weight)."""
    rows = []
    options = {"every": 1, "queue_size": 500, "rank": rank, "pad_id": 0 if mask == "nonpad" else None} | settings
    with warnings.catch_warnings(), lossviz.Recorder(folder, **options) as recorder:
        for step in steps:
            for micro_batch in range(micro_batches):
                targets, losses, lengths = step_arrays(step, rank, micro_batch)
                if change is not None:
                    losses = change(step, losses)
                targets, given, weights = arguments(mask, targets, lengths)
                recorder.step(
                    step=step, micro_batch=micro_batch, targets=targets, losses=losses, reported=f"{step}.5", **given
                )
                rows += [
                    (step, rank, micro_batch, b, t, int(targets[b, t]), float(losses[b, t]), float(weights[b, t]))
                    for b in range(B)
                    for t in range(T)
                ]
    return rows
