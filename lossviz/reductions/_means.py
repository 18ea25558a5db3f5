"""Means of means: each group of timesteps is divided by its own weight before the groups are combined."""

from collections.abc import Callable

import numpy as np

from lossviz.reductions._options import Options
from lossviz.reductions._reduced import Reduced, quotient

__all__ = ["group_sums", "mean_of_means", "micro_batches", "sequences", "timesteps"]

Array = np.ndarray
Group = Callable[[Array, Options], tuple[Array, int]]


def group_sums(loss: Array, weights: Array, groups: Array) -> tuple[Array, Array]:
    """Σ w·loss and Σ w of each group, both [G]; `groups` [B, T] is the group of each timestep, from 0 to G−1.

    >>> loss, weights = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 1.0], [1.0, 0.0]])
    >>> [sums.tolist() for sums in group_sums(loss, weights, np.array([[0, 0], [1, 1]]))]
    [[3.0, 3.0], [2.0, 1.0]]
    """
    count = int(groups.max()) + 1 if groups.size else 0
    flat, weighted = groups.ravel(), weights * np.where(weights != 0, loss, 0.0)
    return np.bincount(flat, weighted.ravel(), count), np.bincount(flat, weights.ravel(), count)


def mean_of_means(
    name: str, groups: Group, *, divide: bool = True, empty: bool = True
) -> Callable[[Array, Array, Options], Reduced]:
    """A reduction that adds up the means of the groups, Σ_g S_g / N_g; a group without weight adds 0.

    Args:
        name: the groups, in the plural.
        groups: (weights, options) → the group of each timestep, [B, T], and the number of groups.
        divide: whether the sum is divided by the number of groups.
        empty: whether that number includes groups without weight.

    >>> reduced = mean_of_means("sequences", sequences)(np.array([[1.0, 3.0], [4.0, 0.0]]),
    ...                                                np.array([[1.0, 1.0], [1.0, 0.0]]), Options())
    >>> reduced.numerator.item(), reduced.divisor.item(), reduced.value.item(), reduced.counts
    (6.0, 2.0, 3.0, 'sequences, each by its own mean')
    """
    filled = "" if empty else " that are not empty"
    items = f"{name}{filled}" if divide else ""
    counts = f"{items}, each by its own mean" if divide else f"nothing: the means of the {name} are summed"

    def reduce(loss: Array, weights: Array, options: Options) -> Reduced:
        labels, number = groups(weights, options)
        sums, own = group_sums(loss, weights, labels)
        counted = (number if empty else np.count_nonzero(own)) if divide else 1
        numerator = quotient(sums, own).sum().reshape(1, 1)
        return Reduced(
            numerator,
            np.full((1, 1), float(counted)),
            counts,
            group_divisor=own[labels],
            group=name,
            divides=divide,
            items=items,
        )

    return reduce


def sequences(weights: Array, _: Options) -> tuple[Array, int]:
    """Each sequence is a group.

    >>> sequences(np.ones((2, 2)), Options())[0].tolist()
    [[0, 0], [1, 1]]
    """
    return np.broadcast_to(np.arange(len(weights))[:, None], weights.shape), len(weights)


def timesteps(weights: Array, _: Options) -> tuple[Array, int]:
    """Each timestep of all sequences is a group.

    >>> timesteps(np.ones((2, 2)), Options())[0].tolist()
    [[0, 1], [0, 1]]
    """
    return np.broadcast_to(np.arange(weights.shape[1]), weights.shape), weights.shape[1]


def micro_batches(weights: Array, options: Options) -> tuple[Array, int]:
    """Each micro-batch is a group; if there are more micro-batches than sequences, the last ones are empty.

    >>> micro_batches(np.ones((3, 2)), Options(groups=((0,), (1, 2))))
    (array([[0, 0],
           [1, 1],
           [1, 1]]), 2)
    """
    number = len(options.groups) if options.groups is not None else options.accumulation_steps or 1
    return np.broadcast_to(options.parts(len(weights))[:, None], weights.shape), number
