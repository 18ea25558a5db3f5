"""Losses of the logits against targets of another timestep, layout or sequence."""

import numpy as np

from lossviz.rules._core.case import Case

__all__ = [
    "MAX_LOSS",
    "clipped",
    "lag_losses",
    "later",
    "losses_in",
    "mean_of",
    "row_losses",
    "slices",
    "time_major_losses",
]

Array = np.ndarray
MAX_LOSS = 100.0
"""Losses are clipped to this many nats, so that one infinite loss does not decide."""


def lag_losses(case: Case, lag: int, every: int = 1) -> Array:
    """The loss against the target `lag` timesteps later, [B, T]; NaN where either timestep does not count.

    Args:
        case: the batch.
        lag: how many timesteps later.
        every: use only every n-th sequence; the result is [⌈B / every⌉, T].
    """
    counts = case.mask[::every]
    here, there = slices(lag, case.shape[1])
    both = np.zeros(counts.shape, bool)
    both[:, here] = counts[:, here] & counts[:, there]
    return np.where(both, case.analysis.losses_against(later(case, lag, every), every=every), np.nan)


def later(case: Case, lag: int, every: int = 1) -> Array:
    """The target `lag` timesteps later, [B, T]; 0 where there is none."""
    given = case.targets[::every]
    targets = np.zeros_like(given)
    here, there = slices(lag, case.shape[1])
    targets[:, here] = given[:, there]
    return targets


def time_major_losses(case: Case) -> Array:
    """The losses of `logits.reshape(T, B, V).transpose(1, 0, 2)`, [B, T]; NaN where a timestep does not count."""
    sequences, timesteps, _ = case.shape
    met = case.targets.T.reshape(sequences, timesteps)  # [b, t] is at t·B + b in the flattened logits
    losses = case.analysis.losses_against(met).reshape(timesteps, sequences).T
    return np.where(case.mask, losses, np.nan)


def row_losses(case: Case, among: Array | None = None) -> Array:
    """The summed loss of sequence i's logits against sequence j's targets, where those count, [B, B].

    Args:
        case: the batch.
        among: the timesteps to sum over, [B, T] bool; all that count if None.
    """
    total = np.zeros((case.shape[0],) * 2)
    known = case.mask & case.in_range if among is None else among
    for t in np.flatnonzero(known.any(axis=0)):
        rows = np.flatnonzero(known[:, t])
        classes, each = np.unique(case.targets[rows, t], return_inverse=True)
        scores = case.logits[:, t, classes].astype(np.float64)
        losses = clipped(case.analysis.logsumexp[:, t, None] - scores)
        losses[np.isnan(losses)] = MAX_LOSS
        if len(rows) == len(total):
            total += losses[:, each]
        else:
            total[:, rows] += losses[:, each]
    return total


def mean_of(losses: Array) -> float:
    """The mean of the entries that are not NaN; NaN if there are none."""
    known = losses[~np.isnan(losses)]
    return float(known.mean()) if known.size else float("nan")


def losses_in(case: Case, order: Array) -> Array:
    """The losses with the logits' sequences reordered, at the positions of the targets, [B, T]."""
    back = np.argsort(order)
    losses: Array = case.analysis.losses_against(case.targets[back])[order]
    return losses


def clipped(losses: Array) -> Array:
    """Losses clipped to `MAX_LOSS` nats."""
    finite: Array = np.minimum(losses, MAX_LOSS)
    return finite


def slices(lag: int, timesteps: int) -> tuple[slice, slice]:
    """The timesteps that have another one `lag` later, and those later ones."""
    return slice(max(0, -lag), max(0, timesteps - max(0, lag))), slice(max(0, lag), max(0, timesteps + min(0, lag)))
