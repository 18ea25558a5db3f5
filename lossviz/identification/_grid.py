"""The values of all combinations of loss, mask, reduction and unit: one matrix product per mask, no prose."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lossviz.identification._components import CandidateReduction, Component, Loss, Mask, Unit, unchanged
from lossviz.identification._hypothesis import BUG, COMBINED, KNOWN, UNIT, Combination, Components, Hypothesis, combined
from lossviz.identification._reported import Printed

__all__ = ["PER", "Grid", "grid_of"]

Array = np.ndarray
MOST = 2
"""How many components may differ from what was declared at once."""

AT_ONCE = 1 << 25
"""Coefficients in memory at once, 256 MB: all reductions of 4,096 × 4,096 timesteps would take 8 GB."""

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
    """Σ coefficients · loss of every allowed combination, [losses, masks, reductions, numbers]."""
    count = {"none": 1, "sequences": losses[0].values.shape[0], "timesteps": losses[0].values.shape[-1]}[per]
    values = np.full((len(losses), len(masks), len(reductions), count), np.nan)
    for indices in _together(losses):
        chosen = [losses[index] for index in indices]
        stacked = _by_number(np.stack([loss.values for loss in chosen]), per)
        for place, mask in enumerate(masks):
            tried = [index for index, reduction in enumerate(reductions) if _is_tried(chosen[0], mask, reduction)]
            weights = chosen[0].under(mask.weights)
            for some, coefficients in _coefficients(reductions, tried, weights):
                values[np.ix_(indices, [place], some)] = _products(stacked, _by_number(coefficients, per))[:, None]
    return values


def _coefficients(
    reductions: tuple[CandidateReduction, ...], tried: list[int], weights: Array
) -> Iterator[tuple[list[int], Array]]:
    """Some of the reductions at a time, with their coefficients [n, B, T] in memory that the next ones overwrite."""
    size = max(1, AT_ONCE // max(weights.size, 1))
    memory = np.empty((min(size, len(tried)), *weights.shape))
    for some in (tried[start : start + size] for start in range(0, len(tried), size)):
        for row, index in enumerate(some):
            memory[row] = reductions[index].coefficients(weights)
        yield some, memory[: len(some)]


def _together(losses: tuple[Loss, ...]) -> list[list[int]]:
    """The losses, grouped by weights and by the reductions tried with them: declared, others, and each shifted one."""
    same = [index for index, loss in enumerate(losses) if loss.under is unchanged]
    shifted = [[index] for index, loss in enumerate(losses) if loss.under is not unchanged]
    declared = [index for index in same if not _departs(losses[index])]
    return [group for group in (declared, [index for index in same if index not in declared], *shifted) if group]


def _is_tried(loss: Loss, mask: Mask, reduction: CandidateReduction) -> bool:
    """Whether at most `MOST` components differ from what was declared, and a guess is the only one."""
    otherwise = sum(_departs(component) for component in (loss, mask, reduction))
    return otherwise <= (1 if reduction.guessed else MOST)


def _by_number(arrays: Array, per: str) -> Array:
    """[n, B, T] → [numbers, n, timesteps of a number]."""
    if per == "none":
        return arrays.reshape(1, len(arrays), -1)
    return np.moveaxis(arrays, 1 if per == "sequences" else 2, 0)


def _products(loss: Array, coefficients: Array) -> Array:
    """Σ coefficient · loss over the timesteps whose coefficient is not 0, [losses, reductions, numbers]."""
    odd = ~np.isfinite(loss)
    products = (np.where(odd, 0.0, loss) if odd.any() else loss) @ np.swapaxes(coefficients, 1, 2)
    if odd.any():
        meets = odd.astype(float) @ np.swapaxes(coefficients != 0, 1, 2).astype(float) > 0
        for number, row, reduction in np.argwhere(meets):
            counts = coefficients[number, reduction] != 0
            products[number, row, reduction] = (
                coefficients[number, reduction][counts] * loss[number, row][counts]
            ).sum()
    return np.moveaxis(products, 0, -1)


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
    return tiers


def _counted(components: Components, count: Callable[[Component], bool]) -> Array:
    """The number of components of each combination that satisfy a condition."""
    along = (np.array([count(component) for component in axis], int) for axis in components)
    total: Array = sum(np.ix_(*along))  # type: ignore[assignment]
    return total


def _changes(component: Component) -> bool:
    return not component.is_plain


def _departs(component: Component) -> bool:
    """Whether it counts as a difference: label smoothing with a known ε does not."""
    declared = isinstance(component, (Loss, CandidateReduction)) and component.is_sure and not component.is_bug
    return not component.is_plain and not declared


def _errs(component: Component) -> bool:
    return not component.is_plain and component.is_bug


def _guesses(component: Component) -> bool:
    return bool(component.guessed)


def _converts(component: Component) -> bool:
    return isinstance(component, Unit) and not component.is_plain
