"""The values of all combinations of loss, mask, reduction and unit: sums over parts, no prose."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from lossviz.identification._components import CandidateReduction, Component, Loss, Mask, Unit, unchanged
from lossviz.identification._hypothesis import BUG, COMBINED, KNOWN, UNIT, Combination, Components, Hypothesis, combined
from lossviz.identification._partition import Totals, Weighed
from lossviz.identification._reported import Printed

__all__ = ["PER", "Grid", "costs", "grid_of"]

Array = np.ndarray
MOST = 2
"""How many components may differ from what was declared at once."""

PER = ("none", "sequences", "timesteps")
"""There may be one printed number, or one per sequence [B], or one per timestep [T]."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The value of every combination, and its tier in the order of likelihood.

    Attributes:
        components: the losses, masks, reductions and units.
        values: [losses, masks, reductions, units, numbers]; there are 1, B or T numbers.
        tiers: [losses, masks, reductions, units]; −1 where the combination is not a hypothesis.
    """

    components: Components
    values: Array
    tiers: Array

    def hits(self, printed: tuple[Printed, ...]) -> Iterator[Hypothesis]:
        """The hypotheses that give the printed numbers."""
        hit = self.tiers >= 0
        for number, one in enumerate(printed):
            hit &= one.hits(self.values[..., number])
        for place in np.argwhere(hit):
            at = tuple(place)
            yield combined(self.at(at), self.values[at], int(self.tiers[at]))

    def at(self, place: tuple[int, ...]) -> Combination:
        """The combination at a place of `tiers`."""
        losses, masks, reductions, units = self.components
        loss, mask, reduction, unit = place
        return losses[loss], masks[mask], reductions[reduction], units[unit]


def grid_of(components: Components, per: str = "none") -> Grid:
    """Every combination of the components, as one number or as one per sequence or timestep."""
    losses, masks, reductions, units = components
    with np.errstate(all="ignore"):
        plain = _numbers(losses, masks, reductions, per)
        values = np.stack([unit.of(plain) for unit in units], axis=3)
    return Grid(components, values, _tiers(components))


def _numbers(
    losses: tuple[Loss, ...], masks: tuple[Mask, ...], reductions: tuple[CandidateReduction, ...], per: str
) -> Array:
    """The number of every allowed combination, [losses, masks, reductions, numbers]."""
    count = {"none": 1, "sequences": losses[0].values.shape[0], "timesteps": losses[0].values.shape[-1]}[per]
    values = np.full((len(losses), len(masks), len(reductions), count), np.nan)
    differ, guess = (_counted((losses, masks, reductions), kind) for kind in (_departs, _guesses))
    summed = (_counted((losses, masks, reductions), _guesses_smoothing) > 0) & _sums(reductions) & (differ <= MOST)
    is_tried = (differ <= MOST) & ((differ <= 1) | (guess == 0) | summed)
    for place, mask in enumerate(masks):
        weighings: dict[int, tuple[Weighed, dict[int, Array]]] = {}
        for index, loss in enumerate(losses):
            tried = [(int(number), reductions[number]) for number in np.flatnonzero(is_tried[index, place])]
            if tried:
                known = weighings.setdefault(_key(loss), (Weighed(loss.under(mask.weights)), {}))
                _fill(values[index, place], loss, tried, *known, per)
    return values


def _key(loss: Loss) -> int:
    """The same for losses that go with the same weights."""
    return 0 if loss.under is unchanged else id(loss.under)


def _fill(
    values: Array,
    loss: Loss,
    tried: list[tuple[int, CandidateReduction]],
    weighed: Weighed,
    factors: dict[int, Array],
    per: str,
) -> None:
    """Write the numbers of one loss under one mask, [reductions, numbers]; `factors` are those known of the weights."""
    totals: dict[int, Totals] = {}
    sums: dict[tuple[int, int], Array] = {}
    for number, reduction in tried:
        if number not in factors:
            factors[number] = reduction.factors(weighed)
        spread = id(reduction.spread)
        if spread not in totals:
            totals[spread] = weighed.totals(loss.values, reduction.spread)
        key = spread, id(reduction.partition)
        if key not in sums:
            sums[key] = totals[spread].over(reduction.partition)
        each = factors[number]
        products = np.where(each != 0, each * sums[key], 0.0)
        values[number] = products.sum() if per == "none" else products


def _tiers(components: Components) -> Array:
    """The tier of each combination; −1 where nothing, or too much, differs from what was declared."""
    shape = tuple(len(axis) for axis in components)
    kinds = (_changes, _departs, _errs, _converts, _guesses)
    changed, otherwise, wrong, in_units, guessed = (_counted(components, kind) for kind in kinds)
    tiers = np.full(shape, COMBINED)
    tiers[(otherwise <= MOST) & (wrong == 0) & (in_units > 0)] = UNIT
    tiers[(otherwise <= 1) & (in_units > 0)] = UNIT
    tiers[(otherwise <= 1) & (in_units == 0)] = BUG
    tiers[(otherwise <= 1) & (wrong == 0) & (guessed == 0)] = KNOWN
    tiers[(changed == 0) | (otherwise > MOST)] = -1
    tiers[(guessed > 0) & (otherwise > 1)] = -1
    smoothed = _counted(components, _guesses_smoothing)
    tiers[(smoothed > 0) & (otherwise == 2) & (in_units > 0) & (wrong == 0)] = UNIT
    tiers[(smoothed > 0) & (otherwise == 2) & (wrong == 0) & _sums(components[2])[..., None]] = COMBINED
    return tiers


def costs(components: Components) -> Array:
    """How unlikely each combination is within its tier."""
    along = (np.array([component.cost for component in axis], float) for axis in components)
    total: Array = sum(np.ix_(*along))  # type: ignore[assignment]
    return total


def _counted(components: Sequence[Sequence[Component]], count: Callable[[Component], bool]) -> Array:
    """The number of components of each combination that satisfy a condition."""
    along = (np.array([count(component) for component in axis], int) for axis in components)
    total: Array = sum(np.ix_(*along))  # type: ignore[assignment]
    return total


def _changes(component: Component) -> bool:
    return not component.is_plain


def _departs(component: Component) -> bool:
    """Whether it counts as a difference: what the arrays or the options say, such as a known ε, does not."""
    declared = not isinstance(component, Unit) and component.is_sure and not component.is_bug
    return not component.is_plain and not declared


def _errs(component: Component) -> bool:
    return not component.is_plain and component.is_bug


def _guesses(component: Component) -> bool:
    return bool(component.guessed)


def _guesses_smoothing(component: Component) -> bool:
    return component.guessed == "smoothing"


def _sums(reductions: tuple[CandidateReduction, ...]) -> Array:
    """The reductions that a smoothed loss has besides the mean, [losses, masks, reductions]: the sum, and it ÷ B."""
    return np.array([one.code in ("C01", "C06") and not one.is_bug for one in reductions])[None, None]


def _converts(component: Component) -> bool:
    return isinstance(component, Unit) and not component.is_plain
