"""All hypotheses about one batch, evaluated once and searched for any number."""

import numpy as np

from lossviz.caching import cached
from lossviz.identification._context import Context
from lossviz.identification._grid import Grid, grid_of
from lossviz.identification._hypothesis import COMBINED, Components, Hypothesis
from lossviz.identification._reported import Printed
from lossviz.identification.candidates._class_labels import class_labels
from lossviz.identification.candidates._conventions import known_conventions
from lossviz.identification.candidates._losses import losses
from lossviz.identification.candidates._masks import masks
from lossviz.identification.candidates._one_off import one_off
from lossviz.identification.candidates._per_axis import reductions_per_axis
from lossviz.identification.candidates._reductions import reductions
from lossviz.identification.candidates._shifts import shifts
from lossviz.identification.candidates._units import units

__all__ = ["Search", "expected"]

Array = np.ndarray
NEAR = 0.1
"""The relative distance within which values are counted to estimate how dense they are."""


class Search:
    """The hypotheses of a batch.

    Args:
        context: the context of the batch.
        per: "none" for one number, "sequences" or "timesteps" for one number each.
    """

    def __init__(self, context: Context, per: str = "none") -> None:
        self.context, self.per = context, per

    @cached
    def components(self) -> Components:
        """The losses, masks, reductions and units to combine."""
        context = self.context
        divisors = reductions(context) if self.per == "none" else reductions_per_axis(context, self.per)
        return (*losses(context), *class_labels(context), *shifts(context)), masks(context), divisors, units(context)

    @cached
    def grid(self) -> Grid:
        """The combinations, evaluated."""
        return grid_of(self.components, self.per)

    @cached
    def single(self) -> tuple[Hypothesis, ...]:
        """The conventions and one-off mistakes, evaluated; none if there are several numbers."""
        return (*known_conventions(self.context, self.components), *one_off(self.context)) if self.per == "none" else ()

    def hits(self, printed: tuple[Printed, ...]) -> list[Hypothesis]:
        """The hypotheses that give the printed numbers."""
        single = [
            hypothesis
            for hypothesis in self.single
            if all(one.is_hit(value) for one, value in zip(printed, hypothesis.values, strict=True))
        ]
        return single + list(self.grid.hits(printed))

    def chance(self, printed: tuple[Printed, ...]) -> dict[int, float]:
        """The expected number of chance hits up to each tier, estimated from the density of values nearby.

        Several numbers must all be hit: the expectation for the first times the odds of the others.
        """
        odds = float(np.prod([_odds(one) for one in printed[1:]]))
        return {tier: expected(self._values(tier), printed[0]) * odds for tier in range(COMBINED + 1)}

    def _values(self, tier: int) -> Array:
        """The values of the hypotheses up to a tier."""
        single = [hypothesis.values[0] for hypothesis in self.single if hypothesis.tier <= tier]
        return np.append(self.grid.values[(self.grid.tiers >= 0) & (self.grid.tiers <= tier)][:, 0], single)


def expected(values: Array, printed: Printed) -> float:
    """The expected number of chance hits among the values, from their density near the printed number.

    >>> from lossviz.identification._reported import read_printed
    >>> round(expected(np.array([1.0, 1.01, 1.05, 3.0]), read_printed("1.02")), 4)  # 3 of them in ±0.102: 3 · 0.0491
    0.1474
    """
    with np.errstate(invalid="ignore"):
        gaps = np.abs(values - printed.value)
        near = values[gaps <= NEAR * abs(printed.value) if printed.value else (gaps > 0) & printed.hits(values)]
    return len(np.unique(near.round(12))) * _odds(printed)


def _odds(printed: Printed) -> float:
    """The probability that a value near the number hits it; 0 if it is not finite, 1 if all its digits are 0."""
    reach = NEAR * abs(printed.value)
    if not np.isfinite(reach):
        return 0.0
    return 1.0 if reach == 0 else min(printed.tolerance / reach, 1.0)
