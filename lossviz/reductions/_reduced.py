"""What a reduction gives: a numerator and a divisor, apart to the last step."""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Reduced", "quotient"]

Array = np.ndarray


@dataclass(frozen=True)
class Reduced:
    """A numerator and its divisor, both with the reduced axes kept as length 1, and what the divisor counts.

    Attributes:
        numerator: what is divided; `divisor`: by what.
        counts: what the divisor counts, in words.
        axes: of [B, T], those that were summed over.
        own: where the numerator is itself a sum of quotients, as a sum of each sequence's mean is: what each weighted
            loss was divided by on its way into it, broadcastable to [B, T].
        group: what those means are of, "sequences", "timesteps" or "micro-batches"; "" where there are none.
    """

    numerator: Array
    divisor: Array
    counts: str
    axes: tuple[int, ...] = (0, 1)
    own: Array | None = None
    group: str = ""

    def squeeze(self, kept: Array) -> Any:
        """An array with the reduced axes dropped: a float, [B], [T] or [B, T].

        >>> Reduced(np.ones((2, 1)), np.ones((2, 1)), "", axes=(1,)).squeeze(np.array([[3.0], [4.0]])).tolist()
        [3.0, 4.0]
        """
        squeezed = kept.squeeze(axis=self.axes)
        return float(squeezed) if squeezed.ndim == 0 else squeezed

    @property
    def value(self) -> Array:
        """Numerator ÷ divisor; a divisor of 0 gives 0, as `tf.math.divide_no_nan` does, except that NaN stays NaN.

        >>> Reduced(np.array([[3.0, 3.0]]), np.array([[2.0, 0.0]]), "", axes=(0,)).value.tolist()
        [[1.5, 0.0]]
        """
        return quotient(self.numerator, self.divisor)

    @property
    def each(self) -> Array:
        """What each weighted loss is divided by in all, broadcastable to [B, T]: value = Σ w·loss / each.

        >>> mean_of_means = Reduced(np.array([[5.0]]), np.array([[2.0]]), "sequences", own=np.array([[3.0], [1.0]]))
        >>> mean_of_means.each.tolist()
        [[6.0], [2.0]]
        """
        return self.divisor if self.own is None else self.divisor * self.own

    @property
    def whole(self) -> Array:
        """What each weighted loss is a part of, broadcastable to [B, T]: w·loss / whole are shares that sum to 1."""
        return self.numerator if self.own is None else self.numerator * self.own

    def coefficients(self, weights: Array) -> Array:
        """What each loss is multiplied by on its way into its number, [B, T]: weight ÷ each, 0 where that is 0.

        >>> Reduced(np.ones((1, 1)), np.array([[4.0]]), "").coefficients(np.array([[1.0, 0.5]])).tolist()
        [[0.25, 0.125]]
        """
        return quotient(weights, self.each)

    def at(self, sequence: int, timestep: int) -> dict[str, Any]:
        """What concerns one timestep: its number, the divisor, and what its group was divided by before.

        >>> Reduced(np.ones((1, 1)), np.array([[4.0]]), "").at(0, 0)
        {'number': 0.25, 'divisor': 4.0, 'own': 1.0, 'group': ''}
        """
        kept = {"number": self.value, "divisor": self.divisor, "own": np.ones((1, 1)) if self.own is None else self.own}
        cells = {name: array[min(sequence, len(array) - 1)] for name, array in kept.items()}
        return {name: float(row[min(timestep, len(row) - 1)]) for name, row in cells.items()} | {"group": self.group}


def quotient(numerator: Array, divisor: Array) -> Array:
    """Numerator ÷ divisor where 0 as divisor gives 0, and NaN stays NaN.

    >>> quotient(np.array([1.0, 1.0, np.nan]), np.array([4.0, 0.0, 0.0])).tolist()
    [0.25, 0.0, nan]
    """
    safe = np.where(divisor == 0, 1.0, divisor)
    return np.where((divisor == 0) & ~np.isnan(numerator), 0.0, numerator / safe)
