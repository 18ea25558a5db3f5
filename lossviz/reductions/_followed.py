"""What a divisor depends on, as numbers: enough to follow a reduction through changes of the mask without asking it."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from lossviz.reductions._options import Options
from lossviz.reductions._reduction import Reduction

__all__ = ["Followed", "follow"]

Array = np.ndarray
TRIALS = 16


@dataclass(frozen=True)
class Followed:
    """A divisor as a·Σw + b·count(w ≠ 0) + c·count(w[:, 0] ≠ 0) + d·(groups with weight) + e.

    Attributes:
        weights: a; `nonzero`: b; `first`: c; `filled`: d; `constant`: e.
        axis: in a mean of means, whether a group is made of rows (0) or of columns (1); else None.
        labels: the group of each row or column; `groups`: how many there are.
    """

    weights: float
    nonzero: float
    first: float
    filled: float
    constant: float
    axis: int | None = None
    labels: tuple[int, ...] = ()
    groups: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Its numbers by name, for a browser."""
        return asdict(self)


@lru_cache(maxsize=64)
def follow(reduction: Reduction, shape: tuple[int, int], options: Options) -> Followed | None:
    """How the divisor of a reduction follows from the weights [B, T]; None where it is not of that form.

    The reduction is asked for its divisor under some masks, and the coefficients are those that give all of them: so
    its formula stands on its row alone.

    >>> from lossviz.reductions import Options, reduction_named
    >>> follow(reduction_named("positions_with_start"), (3, 5), Options())
    Followed(weights=0.0, nonzero=0.0, first=0.0, filled=0.0, constant=18.0, axis=None, labels=(), groups=0)
    >>> follow(reduction_named("decoder_length"), (3, 5), Options()) is None
    True
    """
    if 0 in shape:
        return None
    nothing, masks = np.zeros(shape), _masks(shape)
    answers = [reduction.reduce(nothing, mask, options) for mask in masks]
    if answers[0].axes != (0, 1):
        return None
    axis, labels, groups = _grouping(answers[0].group, shape, options)
    seen = np.array([_seen(mask, axis, labels, groups) for mask in masks])
    divisors = np.array([answer.divisor.item() for answer in answers])
    terms = np.linalg.lstsq(seen, divisors, rcond=None)[0].round(9)
    if not np.allclose(seen @ terms, divisors, rtol=1e-9, atol=1e-9):
        return None
    weights, nonzero, first, filled, constant = (terms + 0.0).tolist()  # no −0
    return Followed(weights, nonzero, first, filled, constant, axis, tuple(labels.tolist()), groups)


def _masks(shape: tuple[int, int]) -> list[Array]:
    """No weight at all, and masks with fractions, empty rows and empty columns."""
    random = np.random.default_rng(0)
    masks = [np.zeros(shape)]
    for _ in range(TRIALS):
        kept = (random.random((shape[0], 1)) < 0.7) & (random.random((1, shape[1])) < 0.7)
        masks.append(kept * random.choice([0.0, 0.5, 1.0, 2.0], shape))
    return masks


def _grouping(group: str, shape: tuple[int, int], options: Options) -> tuple[int | None, Array, int]:
    if not group:
        return None, np.zeros(0, int), 0
    if group == "timesteps":
        return 1, np.arange(shape[1]), shape[1]
    labels = np.arange(shape[0]) if group == "sequences" else options.parts(shape[0])
    return 0, labels, int(labels.max()) + 1


def _seen(weights: Array, axis: int | None, labels: Array, groups: int) -> list[float]:
    own = np.bincount(labels, weights.sum(axis=1 - axis), groups) if axis is not None else np.zeros(0)
    counts = [np.count_nonzero(part) for part in (weights, weights[:, 0], own)]
    return [float(weights.sum()), *map(float, counts), 1.0]
