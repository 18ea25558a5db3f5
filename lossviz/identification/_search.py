"""Every hypothesis of one batch, evaluated once and asked for any number."""

import numpy as np

from lossviz.caching import cached
from lossviz.identification._cube import Cube, cube_of
from lossviz.identification._each import ways_of_each
from lossviz.identification._facts import Facts
from lossviz.identification._hypothesis import COMBINED, Hypothesis, Steps
from lossviz.identification._known import known
from lossviz.identification._losses import losses
from lossviz.identification._masks import masks
from lossviz.identification._reported import Printed
from lossviz.identification._shifts import shifts
from lossviz.identification._special import special
from lossviz.identification._units import units
from lossviz.identification._ways import ways

__all__ = ["Search", "expected"]

Array = np.ndarray
NEAR = 0.1
"""Within what part of the number the other hypotheses' values are counted, to know how dense they lie."""


class Search:
    """The hypotheses of a batch.

    Args:
        facts: of the batch.
        kept: what there is one number of: "none" for the whole batch, "sequences" or "timesteps".
    """

    def __init__(self, facts: Facts, kept: str = "none") -> None:
        self.facts, self.kept = facts, kept

    @cached
    def steps(self) -> Steps:
        """The losses, masks, ways and units that are combined."""
        facts = self.facts
        divisors = ways(facts) if self.kept == "none" else ways_of_each(facts, self.kept)
        return (*losses(facts), *shifts(facts)), masks(facts), divisors, units(facts)

    @cached
    def cube(self) -> Cube:
        """The combinations, evaluated."""
        return cube_of(self.steps, self.kept)

    @cached
    def single(self) -> tuple[Hypothesis, ...]:
        """The conventions and the special mistakes, evaluated; none where there is a number for each."""
        return (*known(self.facts, self.steps), *special(self.facts)) if self.kept == "none" else ()

    def hits(self, printed: tuple[Printed, ...]) -> list[Hypothesis]:
        """Those that give the numbers."""
        single = [
            hypothesis
            for hypothesis in self.single
            if all(one.is_hit(value) for one, value in zip(printed, hypothesis.values, strict=True))
        ]
        return single + list(self.cube.hits(printed))

    def chance(self, printed: tuple[Printed, ...]) -> dict[int, float]:
        """How many hits to expect by chance, up to each tier: the values nearby, thinned out to the tolerance.

        Several numbers are hit by chance where each is: what is expected of the first, times the odds of the others.
        """
        odds = float(np.prod([_odds(one) for one in printed[1:]]))
        return {tier: expected(self._values(tier), printed[0]) * odds for tier in range(COMBINED + 1)}

    def _values(self, tier: int) -> Array:
        """The values of the hypotheses up to a tier."""
        single = [hypothesis.values[0] for hypothesis in self.single if hypothesis.tier <= tier]
        return np.append(self.cube.values[(self.cube.tiers >= 0) & (self.cube.tiers <= tier)][:, 0], single)


def expected(values: Array, printed: Printed) -> float:
    """How many of the values to expect within the tolerance by chance: those nearby, thinned out to it.

    >>> from lossviz.identification._reported import read_printed
    >>> round(expected(np.array([1.0, 1.01, 1.05, 3.0]), read_printed("1.02")), 4)  # 3 of them in ±0.102: 3 · 0.0491
    0.1474
    """
    with np.errstate(invalid="ignore"):
        gaps = np.abs(values - printed.value)
        near = values[gaps <= NEAR * abs(printed.value) if printed.value else (gaps > 0) & printed.hits(values)]
    return len(np.unique(near.round(12))) * _odds(printed)


def _odds(printed: Printed) -> float:
    """How likely a value near the number is to hit it; 0 where it is not finite, 1 where all its digits are 0."""
    reach = NEAR * abs(printed.value)
    if not np.isfinite(reach):
        return 0.0
    return 1.0 if reach == 0 else min(printed.tolerance / reach, 1.0)
