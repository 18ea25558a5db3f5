"""Which labels the logits fit: their losses against the labels as they are, and moved by some timesteps.

Only a sample of the timesteps is read, so that a file larger than memory is read as fast as a small one.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Fit", "better", "losses_at", "sampled"]

Array = np.ndarray
MOST_CELLS = 1 << 23
MOST_TIMESTEPS = 4096
NATS, ERRORS = 0.05, 4.0
"""A fit is better by a mean of that many nats, and by that many standard errors of the mean."""
FEWEST = 4
"""Of fewer timesteps the standard error says nothing: two random ones are often alike."""


@dataclass(frozen=True)
class Fit:
    """How well logits fit labels that start `offset` timesteps later.

    Attributes:
        offset: logits[t] are compared with labels[t + offset].
        mean: the mean loss in nats; NaN where nothing can be compared.
        clear: whether the other offsets fit worse by more than chance.
    """

    offset: int
    mean: float
    clear: bool


def sampled(count: int, classes: int) -> Array:
    """Evenly spread places, as many as can be read quickly.

    >>> sampled(5, 10).tolist()
    [0, 1, 2, 3, 4]
    """
    most = max(1, min(MOST_TIMESTEPS, MOST_CELLS // max(1, classes)))
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.int64)) if count else np.zeros(0, np.int64)


def losses_at(logits: Array, rows: Array, columns: Array, labels: Array) -> Array:
    """Cross entropy of logits[rows, columns] against labels, [N] float64, from a softmax; NaN where it is not finite.

    >>> losses_at(np.zeros((1, 1, 4)), np.array([0]), np.array([0]), np.array([3])).round(4).tolist()
    [1.3863]
    """
    scores = np.asarray(logits[rows, columns]).astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        top = scores.max(axis=-1, keepdims=True)
        total = np.log(np.exp(scores - top).sum(axis=-1)) + top[:, 0]
        losses: Array = total - np.take_along_axis(scores, labels[:, None], axis=-1)[:, 0]
    return np.where(np.isfinite(losses), losses, np.nan)


@np.errstate(over="ignore", invalid="ignore")  # where the spread of the losses is beyond float64, nothing is clear
def better(logits: Array, labels: Array, offsets: tuple[int, ...]) -> Fit:
    """The offset at which the logits fit the labels best, the first one where that can't be told.

    Args:
        logits: [B, T, V].
        labels: [B, L] integers; negative ones and those beyond V are left out.
        offsets: the candidates: logits[t] against labels[t + offset].

    >>> sure = 9 * np.eye(4)[[[1, 2, 3, 1, 2, 3, 2, 1]]]
    >>> better(sure, np.array([[0, 1, 2, 3, 1, 2, 3, 2]]), (0, 1)).offset
    1
    """
    rows, columns = _comparable(logits, labels, offsets)
    chosen = sampled(len(rows), logits.shape[2])
    rows, columns = rows[chosen], columns[chosen]
    if not len(rows):
        return Fit(offsets[0], float("nan"), False)
    losses = np.stack([losses_at(logits, rows, columns - offset, labels[rows, columns]) for offset in offsets])
    finite = np.isfinite(losses).all(axis=0)
    if finite.sum() < FEWEST:
        return Fit(offsets[0], float("nan"), False)
    means = losses[:, finite].mean(axis=1)
    best = int(means.argmin())
    clear = all(
        _is_clear(losses[other, finite] - losses[best, finite]) for other in range(len(offsets)) if other != best
    )
    chosen_one = best if clear else 0
    return Fit(offsets[chosen_one], float(means[chosen_one]), clear)


def _comparable(logits: Array, labels: Array, offsets: tuple[int, ...]) -> tuple[Array, Array]:
    """The labels that are classes, and that have logits under every offset: their rows and columns."""
    columns = np.arange(labels.shape[1])
    inside = np.ones(len(columns), bool)
    for offset in offsets:
        inside &= (columns - offset >= 0) & (columns - offset < logits.shape[1])
    rows, places = np.nonzero((labels >= 0) & (labels < logits.shape[2]) & inside)
    return rows, places


def _is_clear(differences: Array) -> bool:
    error = differences.std() / np.sqrt(max(1, len(differences) - 1))
    return bool(differences.mean() > NATS and differences.mean() > ERRORS * error)
