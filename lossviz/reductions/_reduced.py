"""The result of a reduction: a numerator and a divisor, kept apart until the last step."""

from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Reduced", "quotient"]

Array = np.ndarray


@dataclass(frozen=True)
class Reduced:
    """A numerator and its divisor, both with the reduced axes of length 1, and what the divisor counts.

    Attributes:
        numerator: the sum that is divided.
        divisor: what it is divided by.
        counts: what the divisor counts, in words.
        axes: the axes of [B, T] that were summed over.
        group_divisor: in a mean of means, what each weighted loss was divided by before the means were added up,
            broadcastable to [B, T]; None where the numerator is a plain sum.
        group: what the inner means are taken over: "sequences", "timesteps" or "micro-batches"; "" without inner means.
        divides: whether anything is divided; False for a sum, whose divisor is 1.
        items: the things that the divisor counts, without the rest of `counts`: "sequences"; "" where `counts` is just
            that.
    """

    numerator: Array
    divisor: Array
    counts: str
    axes: tuple[int, ...] = (0, 1)
    group_divisor: Array | None = None
    group: str = ""
    divides: bool = True
    items: str = ""

    def squeeze(self, array: Array) -> Any:
        """Drop the reduced axes of an array, which leaves a float, [B], [T] or [B, T].

        >>> Reduced(np.ones((2, 1)), np.ones((2, 1)), "", axes=(1,)).squeeze(np.array([[3.0], [4.0]])).tolist()
        [3.0, 4.0]
        """
        squeezed = array.squeeze(axis=self.axes)
        return float(squeezed) if squeezed.ndim == 0 else squeezed

    @property
    def value(self) -> Array:
        """Numerator ÷ divisor; a divisor of 0 gives 0, as `tf.math.divide_no_nan` does, except that NaN stays NaN.

        >>> Reduced(np.array([[3.0, 3.0]]), np.array([[2.0, 0.0]]), "", axes=(0,)).value.tolist()
        [[1.5, 0.0]]
        """
        return quotient(self.numerator, self.divisor)

    @property
    def effective_divisor(self) -> Array:
        """The divisor of each weighted loss after all divisions, broadcastable to [B, T]: value = Σ w·loss ÷ this.

        >>> own = np.array([[3.0], [1.0]])
        >>> Reduced(np.array([[5.0]]), np.array([[2.0]]), "sequences", group_divisor=own).effective_divisor.tolist()
        [[6.0], [2.0]]
        """
        return self.divisor if self.group_divisor is None else self.divisor * self.group_divisor

    @property
    def share_total(self) -> Array:
        """The total that each weighted loss is a share of, broadcastable to [B, T]: w·loss ÷ this sums to 1."""
        return self.numerator if self.group_divisor is None else self.numerator * self.group_divisor

    def coefficients(self, weights: Array) -> Array:
        """The factor of each loss in its number, [B, T]: weight ÷ effective divisor, 0 where that divisor is 0.

        >>> Reduced(np.ones((1, 1)), np.array([[4.0]]), "").coefficients(np.array([[1.0, 0.5]])).tolist()
        [[0.25, 0.125]]
        """
        return quotient(weights, self.effective_divisor)

    def at(self, sequence: int, timestep: int) -> dict[str, Any]:
        """The numbers of one timestep: its result, its divisor, and the divisor of its group before that.

        >>> Reduced(np.ones((1, 1)), np.array([[4.0]]), "").at(0, 0)
        {'number': 0.25, 'divisor': 4.0, 'own': 1.0, 'group': ''}
        """
        arrays = {
            "number": self.value,
            "divisor": self.divisor,
            "own": np.ones((1, 1)) if self.group_divisor is None else self.group_divisor,
        }
        cells = {name: array[min(sequence, len(array) - 1)] for name, array in arrays.items()}
        return {name: float(row[min(timestep, len(row) - 1)]) for name, row in cells.items()} | {"group": self.group}


def quotient(numerator: Array, divisor: Array) -> Array:
    """Numerator ÷ divisor; a divisor of 0 gives 0, and NaN stays NaN.

    >>> quotient(np.array([1.0, 1.0, np.nan]), np.array([4.0, 0.0, 0.0])).tolist()
    [0.25, 0.0, nan]
    """
    zero = np.equal(divisor, 0)
    with np.errstate(over="ignore", invalid="ignore"):  # sums of weights of 1e308 are inf, and so their mean NaN
        if not zero.any():  # by far the most frequent, and three passes over [B, T] less
            return np.asarray(numerator / divisor)
        safe = np.where(zero, 1.0, divisor)
        return np.where(zero & ~np.isnan(numerator), 0.0, numerator / safe)
