"""How many formulas are expected to give a printed number by chance (matching rule 1)."""

from collections.abc import Iterable, Sequence

import numpy as np

from lossviz.identification._hypothesis import COMBINED, KNOWN, Hypothesis
from lossviz.identification._reported import Printed

__all__ = ["Chance", "Orders", "expected", "is_accidental"]

Array = np.ndarray
Orders = tuple[Array, Array, Array]
NEAR = 0.1
"""The relative distance within which values are counted to estimate how dense they are."""

FEW_DIGITS, GUESS_DIGITS = 4, 5
"""With fewer digits, a combination (rule 1) or a formula with a guessed ε (RED-11) is not a finding."""

MOST = {KNOWN: 0.5}
MOST_OTHERWISE = 0.03
"""The expected number of chance hits from which a known formula, and any other, is called accidental."""


class Chance:
    """The expected number of chance hits among the formulas that are at least as likely as a given one.

    Args:
        tried: the values of all formulas, their tiers and their costs, [n] each.
        printed: the numbers that were printed; a formula must give all of them.
    """

    def __init__(self, tried: Orders, printed: Sequence[Printed]) -> None:
        values, tiers, costs = tried
        near = _near(values, printed[0])
        order = np.lexsort((costs[near], tiers[near]))
        kept = np.sort(np.unique(values[near][order].round(12), return_index=True)[1])
        self._tiers, self._costs = tiers[near][order][kept], costs[near][order][kept]
        self._odds = float(np.prod([_odds(one) for one in printed]))

    def of(self, hypothesis: Hypothesis) -> float:
        """Of one formula: how many at least as likely ones are expected to hit."""
        tier, cost = hypothesis.order
        before = (self._tiers < tier) | ((self._tiers == tier) & (self._costs <= cost))
        return float(before.sum()) * self._odds


def is_accidental(hypothesis: Hypothesis, printed: Sequence[Printed], chances: Iterable[Chance]) -> bool:
    """Whether a match is likely to be chance: few digits, many formulas; `chances` are those of each batch."""
    if not np.isfinite(printed[0].value):
        return False
    digits = sum(one.digits for one in printed)
    if hypothesis.guessed == "smoothing" and digits < GUESS_DIGITS:
        return True
    if hypothesis.tier == COMBINED and digits < FEW_DIGITS:
        return True
    expectation = float(np.prod([chance.of(hypothesis) for chance in chances]))
    return expectation >= MOST.get(hypothesis.tier, MOST_OTHERWISE)


def expected(values: Array, printed: Printed) -> float:
    """The expected number of chance hits among the values, from their density near the printed number.

    >>> from lossviz.identification._reported import read_printed
    >>> round(expected(np.array([1.0, 1.01, 1.05, 3.0]), read_printed("1.02")), 4)  # 3 of them in ±0.102: 3 · 0.0491
    0.1474
    """
    return len(np.unique(values[_near(values, printed)].round(12))) * _odds(printed)


def _near(values: Array, printed: Printed) -> Array:
    with np.errstate(invalid="ignore"):
        gaps = np.abs(values - printed.value)
        return gaps <= NEAR * abs(printed.value) if printed.value else (gaps > 0) & printed.hits(values)


def _odds(printed: Printed) -> float:
    """The probability that a value near the number hits it; 0 if it is not finite, 1 if all its digits are 0."""
    reach = NEAR * abs(printed.value)
    if not np.isfinite(reach):
        return 0.0
    return 1.0 if reach == 0 else min(printed.tolerance / reach, 1.0)
