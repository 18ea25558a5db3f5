"""The cheapest way to give every row a column of its own."""

import numpy as np

__all__ = ["assign"]

Array = np.ndarray


def assign(cost: Array) -> Array:
    """The row of each column, [n], so that the sum of `cost[row, column]` is smallest and no row is used twice.

    Shortest augmenting paths with potentials (Jonker and Volgenant, 1987), O(n³) with the inner loop in NumPy.

    Args:
        cost: finite numbers [n, n].

    >>> assign(np.array([[4.0, 1.0, 3.0], [2.0, 0.0, 5.0], [3.0, 2.0, 2.0]])).tolist()
    [1, 0, 2]
    """
    n = len(cost)
    of_row, of_column = np.zeros(n + 1), np.zeros(n + 1)
    row_of = np.full(n + 1, -1)  # column n is where each new row starts
    for row in range(n):
        row_of[n] = row
        came_from = _path(cost, of_row, of_column, row_of)
        column = came_from[-1]
        came_from = came_from[:-1]
        while column != n:  # move every row of the path to the column that is free now
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    rows: Array = row_of[:n]
    return rows


def _path(cost: Array, of_row: Array, of_column: Array, row_of: Array) -> Array:
    """From column n to a free column: the column that each was reached from, [n], and the free one at the end."""
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
