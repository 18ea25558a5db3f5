"""Assign each column its own row at the lowest cost: exactly, or approximately with bounded work.

Both algorithms are needed: the exact one is cubic, and an auction is only near-optimal.
"""

import numpy as np

__all__ = ["assign"]

Array = np.ndarray
EXACT = 256
"""Up to this many rows, the optimal assignment is found; above, a near-optimal one."""

INCREMENT = 0.02
"""An auction may miss the optimum by this many standard deviations of the cost per row."""

MOST_BIDS = 1 << 24
"""The most costs that an auction compares; columns still without a row then get the remaining ones."""


def assign(cost: Array) -> Array:
    """The row of each column, [n], each row used once, with a small sum of `cost[row, column]`.

    Up to `EXACT` rows, the sum is minimal. Above, an auction takes O(n²) if the costs clearly show which row belongs to
    which column, and at most `MOST_BIDS` comparisons otherwise.

    Args:
        cost: finite numbers [n, n].

    >>> assign(np.array([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]])).tolist()
    [1, 0, 2]
    """
    return _shortest_paths(cost) if len(cost) <= EXACT else _auction(cost)


def _auction(cost: Array) -> Array:
    """Auction: in each round, all columns without a row bid for one (Bertsekas, 1988)."""
    n = len(cost)
    price, owner, row_of = np.zeros(n), np.full(n, -1), np.full(n, -1)
    increment, left = INCREMENT * float(cost.std()), MOST_BIDS
    while (free := np.flatnonzero(row_of < 0)).size and left > 0:
        left -= free.size * n
        _bid(cost, free, price, owner, row_of, increment)
    row_of[row_of < 0] = np.flatnonzero(owner < 0)
    return row_of


def _bid(cost: Array, free: Array, price: Array, owner: Array, row_of: Array, increment: float) -> None:
    """One round: each free column bids up its best row until its second best is as good; the highest bid wins."""
    dear = cost[:, free].T + price
    best, each = dear.argmin(axis=1), np.arange(free.size)
    least = dear[each, best]
    dear[each, best] = np.inf
    bids = price[best] + dear.min(axis=1) - least + increment
    order = np.argsort(bids, kind="stable")  # of several bids for a row, the last written (the highest) wins
    price[best[order]] = bids[order]
    rows = np.unique(best)
    row_of[owner[rows][owner[rows] >= 0]] = -1
    owner[best[order]] = free[order]
    row_of[owner[rows]] = rows


def _shortest_paths(cost: Array) -> Array:
    """Shortest augmenting paths with potentials (Jonker and Volgenant, 1987), O(n³) with the inner loop in NumPy."""
    n = len(cost)
    of_row, of_column = np.zeros(n + 1), np.zeros(n + 1)
    row_of = np.full(n + 1, -1)  # each new row starts at column n
    for row in range(n):
        row_of[n] = row
        came_from = _path(cost, of_row, of_column, row_of)
        column = came_from[-1]
        came_from = came_from[:-1]
        while column != n:  # move every row on the path to the column that is now free
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    rows: Array = row_of[:n]
    return rows


def _path(cost: Array, of_row: Array, of_column: Array, row_of: Array) -> Array:
    """Search from column n to a free column: the predecessor of each column, [n], then the free column."""
    n = len(cost)
    shortest, came_from = np.full(n, np.inf), np.full(n, n)
    used = np.zeros(n + 1, bool)
    column = n
    while row_of[column] >= 0:
        used[column] = True
        row = row_of[column]
        reduced = cost[row] - of_row[row] - of_column[:n]
        closer = ~used[:n] & (reduced < shortest)
        shortest[closer], came_from[closer] = reduced[closer], column
        column = int(np.where(used[:n], np.inf, shortest).argmin())
        step = shortest[column]
        of_row[row_of[used]] += step
        of_column[used] -= step
        shortest[~used[:n]] -= step
    return np.append(came_from, column)
