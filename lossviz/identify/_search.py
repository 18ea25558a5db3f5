"""Every hypothesis for one number of one batch."""


import numpy as np

from lossviz.identify._cube import Cube, cube_of
from lossviz.identify._facts import Facts
from lossviz.identify._hypothesis import COMBINED, Hypothesis
from lossviz.identify._known import known
from lossviz.identify._printed import Printed

__all__ = ["Search", "search"]

NEAR = 0.1
"""Within what part of the number the other hypotheses' values are counted, to know how dense they lie."""


class Search:
    """The hypotheses of a batch, evaluated once and asked for any number.

    Attributes:
        facts: of the batch.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._cube: Cube = cube_of(facts)
        self._single: tuple[Hypothesis, ...] = tuple(known(facts, self._cube.steps))

    def hits(self, printed: Printed) -> list[Hypothesis]:
        """Those that give the number."""
        return [hypothesis for hypothesis in self._single if printed.is_hit(hypothesis.value)] + list(
            self._cube.hits(printed)
        )

    def chance(self, printed: Printed) -> dict[int, float]:
        """How many hits to expect by chance, up to each tier: the values nearby, thinned out to the tolerance."""
        return {tier: self._expected(printed, tier) for tier in range(COMBINED + 1)}

    def _expected(self, printed: Printed, tier: int) -> float:
        cube = self._cube
        values = np.concatenate(
            [
                cube.values[(cube.tiers >= 0) & (cube.tiers <= tier)],
                np.array([hypothesis.value for hypothesis in self._single if hypothesis.tier <= tier]),
            ]
        )
        reach = NEAR * abs(printed.value)
        if not np.isfinite(printed.value) or reach == 0:
            return 0.0
        near = np.abs(values - printed.value) <= reach
        distinct = np.unique(np.round(values[near] / max(abs(printed.value), 1e-300), 9))
        return float(len(distinct) * min(printed.tolerance / reach, 1.0))


def search(facts: Facts) -> Search:
    """The hypotheses of a batch."""
    return Search(facts)
