"""Means of means: each group of timesteps is divided by its own weights before the groups are put together."""

from collections.abc import Callable

import numpy as np

from lossviz.reductions._options import Options
from lossviz.reductions._reduced import Reduced, quotient

__all__ = ["group_sums", "mean_of_means", "micro_batches"]

Array = np.ndarray
Group = Callable[[Array, Options], Array]


def group_sums(loss: Array, weights: Array, groups: Array) -> tuple[Array, Array]:
    """Σ w·loss and Σ w of each group, both [G]; `groups` [B, T] says which of 0 … G−1 a timestep lies in.

    >>> loss, weights = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    >>> [sums.tolist() for sums in group_sums(loss, weights, np.array([[0, 0], [1, 1]]))]
    [[3.0, 3.0], [2.0, 1.0]]
    """
    count = int(groups.max()) + 1 if groups.size else 0
    flat, weighted = groups.ravel(), np.where(weights != 0, weights * loss, 0.0)
    return np.bincount(flat, weighted.ravel(), count), np.bincount(flat, weights.ravel(), count)


def mean_of_means(
    groups: Group, counts: str, *, divide: bool = True, empty: bool = True
) -> Callable[[Array, Array, Options], Reduced]:
    """A reduction that adds up the groups' own means, Σ_g S_g / N_g, a group of no weight giving 0.

    Args:
        groups: (weights, options) → [B, T], which group a timestep lies in.
        counts: what the divisor counts, in words.
        divide: whether the sum is divided by the number of groups.
        empty: whether groups of no weight are counted among them.

    >>> rows = mean_of_means(lambda weights, _: np.array([[0, 0], [1, 1]]), "sequences")
    >>> reduced = rows(np.array([[1.0, 3.0], [4.0, 0.0]]), np.array([[1.0, 1.0], [1.0, 0.0]]), Options())
    >>> reduced.numerator.item(), reduced.divisor.item(), reduced.value.item()
    (6.0, 2.0, 3.0)
    """

    def reduce(loss: Array, weights: Array, options: Options) -> Reduced:
        labels = groups(weights, options)
        sums, own = group_sums(loss, weights, labels)
        counted = len(own) if empty else np.count_nonzero(own)
        divisor = np.full((1, 1), float(counted) if divide else 1.0)
        return Reduced(quotient(sums, own).sum().reshape(1, 1), divisor, counts, own=own[labels])

    return reduce


def micro_batches(weights: Array, options: Options) -> Array:
    """Which micro-batch each timestep lies in, [B, T].

    >>> micro_batches(np.ones((3, 2)), Options(groups=((0,), (1, 2)))).tolist()
    [[0, 0], [1, 1], [1, 1]]
    """
    return np.broadcast_to(options.parts(len(weights))[:, None], weights.shape)
