"""A batch cut into parts, and the sums over them: what every reduction is made of, without a [B, T] array each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossviz.caching import cached

__all__ = ["Partition", "Totals", "Weighed", "by_columns", "by_rows", "in_runs", "whole"]

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Partition:
    """Every timestep of [B, T] in one of G parts; built by the four functions below.

    Attributes:
        shape: (B, T).
        parts: G.
        rows: the part of each sequence, [B], where whole sequences are dealt out.
        columns: the part of each timestep, [T], where all sequences are cut alike.
        starts: where each part begins, [G], in the batch laid out flat, where parts are runs of it.

    >>> halves = by_columns((2, 4), np.array([0, 0, 1, 1]))
    >>> halves.parts, halves.labels.tolist()
    (2, [[0, 0, 1, 1]])
    """

    shape: tuple[int, int]
    parts: int
    rows: Array | None = None
    columns: Array | None = None
    starts: Array | None = None

    @property
    def labels(self) -> Array:
        """The part of each timestep, broadcastable to [B, T]."""
        if self.rows is not None:
            return self.rows[:, None]
        if self.columns is not None:
            return self.columns[None]
        if self.starts is not None:
            sizes = np.diff(np.append(self.starts, self.shape[0] * self.shape[1]))
            return np.repeat(np.arange(self.parts), sizes).reshape(self.shape)
        return np.zeros((1, 1), int)

    def parts_of(self, places: Array) -> Array:
        """The parts of some timesteps, by their places in the batch laid out flat."""
        if self.starts is not None:
            return np.searchsorted(self.starts, places, side="right") - 1
        row, column = np.unravel_index(places, self.shape)
        labels = self.labels
        found: Array = labels[np.minimum(row, len(labels) - 1), np.minimum(column, labels.shape[1] - 1)]
        return found


def whole(shape: tuple[int, int]) -> Partition:
    """One part."""
    return Partition(shape, 1)


def by_rows(shape: tuple[int, int], rows: Array, parts: int | None = None) -> Partition:
    """Whole sequences, the part of each in `rows` [B]."""
    return Partition(shape, _number(rows, parts), rows=rows)


def by_columns(shape: tuple[int, int], columns: Array, parts: int | None = None) -> Partition:
    """All sequences cut alike, the part of each timestep in `columns` [T]."""
    return Partition(shape, _number(columns, parts), columns=columns)


def in_runs(shape: tuple[int, int], starts: Array) -> Partition:
    """Runs of the batch laid out flat, which begin at `starts` [G]; the first at 0."""
    return Partition(shape, len(starts), starts=starts)


def _number(labels: Array, parts: int | None) -> int:
    return int(labels.max(initial=-1)) + 1 if parts is None else parts


class Totals:
    """The sums of an array [B, T] over the parts of partitions; what is not finite spoils its own part only.

    With factors, of the products, 0 where the factor is 0. The sum of everything, which most formulas ask for, is made
    without an array of the products.

    >>> totals = Totals(np.array([[1.0, 2.0], [3.0, np.nan]]))
    >>> totals.over(by_rows((2, 2), np.array([0, 1]))).tolist(), totals.over(in_runs((2, 2), np.array([0, 3]))).tolist()
    ([3.0, nan], [6.0, nan])
    """

    def __init__(self, array: Array, factors: Array | None = None) -> None:
        self._given, self._factors = array, factors

    @property
    def total(self) -> float:
        """The sum of everything."""
        return self._dot if self._dot == self._dot else self._sum

    @cached
    def _dot(self) -> float:
        """The sum with NaN where a factor of 0 meets what is not finite."""
        with np.errstate(invalid="ignore", over="ignore"):
            if self._factors is None:
                return float(self._given.sum())
            return float(np.einsum("bt,bt->", self._factors, self._given))  # in a quarter of the time

    @cached
    def _sum(self) -> float:
        return float(self._products.sum())

    @cached
    def _products(self) -> Array:
        if self._factors is None:
            return self._given[...]
        with np.errstate(all="ignore"):
            product: Array = self._factors * self._given
        return product if self._dot == self._dot else np.where(self._factors != 0, product, 0.0)

    @cached
    def _odd(self) -> Array:
        """The places, in the batch laid out flat, of what is not finite."""
        return np.zeros(0, int) if np.isfinite(self.total) else np.flatnonzero(~np.isfinite(self._products))

    @cached
    def _array(self) -> Array:
        """The products, 0 where they are not finite."""
        return np.where(np.isfinite(self._products), self._products, 0.0) if len(self._odd) else self._products[...]

    def over(self, partition: Partition) -> Array:
        """The sum of each part, [G]."""
        if partition.rows is not None:
            sums = np.bincount(partition.rows, self._rows, partition.parts)
        elif partition.columns is not None:
            sums = np.bincount(partition.columns, self._columns, partition.parts)
        elif partition.starts is not None:
            sums = np.diff(self._running[np.append(partition.starts, self._array.size)])
        else:
            return np.array([self.total])
        if len(self._odd):
            values = self._products.reshape(-1)[self._odd]
            sums = sums + np.bincount(partition.parts_of(self._odd), values, partition.parts)
        return sums

    @cached
    def _rows(self) -> Array:
        sums: Array = self._array.sum(axis=1)
        return sums

    @cached
    def _columns(self) -> Array:
        sums: Array = self._array.sum(axis=0)
        return sums

    @cached
    def _running(self) -> Array:
        return np.concatenate([[0.0], np.cumsum(self._array)])


class Weighed:
    """Weights [B, T], and what they add up to in the parts of partitions.

    >>> Weighed(np.array([[1.0, 0.5], [0.0, 0.0]])).counts(by_rows((2, 2), np.array([0, 1]))).tolist()
    [2.0, 0.0]
    """

    def __init__(self, weights: Array) -> None:
        self.weights = weights

    def own(self, partition: Partition) -> Array:
        """Σ w of each part, [G]."""
        return self._weights.over(partition)

    def counts(self, partition: Partition) -> Array:
        """The number of weights that are not 0 in each part, [G]."""
        return (self._weights if self._is_mask else self._counts).over(partition)

    def totals(self, loss: Array, spread: Callable[[Array], Array]) -> Totals:
        """The sums of u · loss, where u is what `spread` makes of the weights; 0 where u is 0."""
        return Totals(loss, spread(self.weights))

    @property
    def total(self) -> float:
        """Σ w."""
        return self._weights.total

    @cached
    def _weights(self) -> Totals:
        return Totals(self.weights)

    @cached
    def _counts(self) -> Totals:
        return Totals((self.weights != 0).astype(float))

    @cached
    def _is_mask(self) -> bool:
        return bool(np.isin(self.weights, (0, 1)).all())
