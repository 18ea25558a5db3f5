"""Every loss under every mask in every way, as numbers: one matrix product a mask, no prose."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lossviz.identify._facts import Facts
from lossviz.identify._hypothesis import BUG, COMBINED, KNOWN, UNIT, Combination, Hypothesis, combined
from lossviz.identify._losses import losses
from lossviz.identify._masks import masks
from lossviz.identify._printed import Printed
from lossviz.identify._shifts import shifts
from lossviz.identify._steps import Loss, Mask, Step, Unit, Way, unchanged
from lossviz.identify._units import units
from lossviz.identify._ways import ways

__all__ = ["Cube", "cube_of", "numbers"]

Array = np.ndarray
MOST = 2
"""How many things a loop may do otherwise at once; what was declared does not count."""


@dataclass(frozen=True, eq=False)
class Cube:
    """The value of every combination, and where it stands in the order of likelihood.

    Attributes:
        steps: the losses, masks, ways and units.
        values: [losses, masks, ways, units].
        tiers: likewise; −1 where it is no hypothesis.
    """

    steps: tuple[tuple[Loss, ...], tuple[Mask, ...], tuple[Way, ...], tuple[Unit, ...]]
    values: Array
    tiers: Array

    def hits(self, printed: Printed) -> Iterator[Hypothesis]:
        """The hypotheses that give the printed number."""
        for place in np.argwhere(printed.hits(self.values) & (self.tiers >= 0)):
            at = tuple(place)
            yield combined(self.at(at), self.values[at], int(self.tiers[at]))

    def at(self, place: tuple[int, ...]) -> Combination:
        """The combination at a place of `values`."""
        loss, mask, way, unit = (steps[index] for steps, index in zip(self.steps, place, strict=True))
        return loss, mask, way, unit  # type: ignore[return-value]


def cube_of(facts: Facts) -> Cube:
    """Every combination for one batch."""
    steps = (*losses(facts), *shifts(facts)), masks(facts), ways(facts), units(facts)
    with np.errstate(all="ignore"):
        plain = numbers(*steps[:3])
        values = np.stack([unit.of(plain) for unit in steps[3]], axis=-1)
    return Cube(steps, values, _tiers(steps))


def numbers(all_losses: tuple[Loss, ...], all_masks: tuple[Mask, ...], all_ways: tuple[Way, ...]) -> Array:
    """Σ coefficients · loss for every loss, mask and way, [losses, masks, ways]."""
    values = np.full((len(all_losses), len(all_masks), len(all_ways)), np.nan)
    together = [index for index, loss in enumerate(all_losses) if loss.under is unchanged]
    apart = [[index] for index, loss in enumerate(all_losses) if loss.under is not unchanged]
    for indices in [together, *apart]:
        chosen = [all_losses[index] for index in indices]
        stacked = np.stack([loss.values.ravel() for loss in chosen])
        for place, mask in enumerate(all_masks):
            weights = chosen[0].under(mask.weights)
            coefficients = np.stack([way.coefficients(weights).ravel() for way in all_ways])
            values[indices, place] = _products(stacked, coefficients)
    return values


def _products(loss: Array, coefficients: Array) -> Array:
    """Σ coefficient · loss over the timesteps whose coefficient is not 0, [losses, ways]."""
    odd = ~np.isfinite(loss)
    products: Array = np.where(odd, 0.0, loss) @ coefficients.T
    for row, way in np.argwhere(odd.astype(float) @ (coefficients != 0).T.astype(float) > 0) if odd.any() else ():
        counts = coefficients[way] != 0
        products[row, way] = (coefficients[way][counts] * loss[row][counts]).sum()
    return products


def _tiers(steps: tuple[tuple[Step, ...], ...]) -> Array:
    """Where each combination stands, −1 where too much would be done otherwise."""
    shape = tuple(len(axis) for axis in steps)
    otherwise, changed, wrong, in_units, guessed = (np.zeros(shape, int) for _ in range(5))
    for axis, choices in enumerate(steps):
        along = [np.newaxis] * len(shape)
        along[axis] = slice(None)  # type: ignore[call-overload]
        place = tuple(along)
        declared = np.array([_is_declared(step) for step in choices])
        plain = np.array([step.is_plain for step in choices])
        bug = np.array([step.is_bug and not step.is_plain for step in choices])
        otherwise += (~plain & ~declared)[place]
        changed += (~plain)[place]
        wrong += bug[place]
        in_units += (~plain & isinstance(choices[0], Unit))[place]
        guessed += (~plain & ~declared & ~bug & isinstance(choices[0], Loss))[place]
    everything_plain = otherwise + changed == 0
    tiers = np.where(otherwise <= 1, np.where(wrong > 0, BUG, KNOWN), COMBINED)
    tiers = np.where((otherwise <= 1) & (guessed > 0), BUG, tiers)
    tiers = np.where((in_units > 0) & ((wrong > 0) | (otherwise > 1)), np.where(otherwise <= 1, UNIT, COMBINED), tiers)
    tiers = np.where((in_units > 0) & (wrong == 0) & (otherwise == 2), UNIT, tiers)
    return np.where((otherwise > MOST) | everything_plain, -1, tiers)


def _is_declared(step: Step) -> bool:
    """Whether the options say so: label smoothing of a known ε is as declared as no smoothing."""
    return isinstance(step, Loss) and not step.is_bug and step.is_sure
