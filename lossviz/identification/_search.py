"""All hypotheses about one batch, evaluated once and searched for any number."""

from dataclasses import replace

import numpy as np

from lossviz.caching import cached
from lossviz.identification._chance import Chance, Orders, is_accidental
from lossviz.identification._context import Context
from lossviz.identification._grid import Grid, costs, grid_of
from lossviz.identification._hypothesis import COMBINED, KNOWN, Components, Hypothesis
from lossviz.identification._reported import Printed
from lossviz.identification.candidates._class_labels import class_labels
from lossviz.identification.candidates._conventions import known_conventions
from lossviz.identification.candidates._losses import losses
from lossviz.identification.candidates._masks import masks
from lossviz.identification.candidates._one_off import one_off
from lossviz.identification.candidates._other_logits import OtherLogits
from lossviz.identification.candidates._per_axis import reductions_per_axis
from lossviz.identification.candidates._reductions import reductions
from lossviz.identification.candidates._shifts import shifts
from lossviz.identification.candidates._units import units

__all__ = ["Search"]

FAR = 12.0
"""How much less likely a mistake is whose value is not near the printed number, although it may be that number."""


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
        """The hypotheses that give the printed numbers; other logits are tried only where nothing else gives them."""
        single = [
            hypothesis
            for hypothesis in self.single
            if all(one.is_hit(value) for one, value in zip(printed, hypothesis.values, strict=True))
        ]
        found = [_ranked(hit, printed) for hit in (*single, *self.grid.hits(printed))]
        if not np.isfinite(printed[0].value):  # which nearly every formula gives where one loss is not finite
            return [hit for hit in found if not hit.guessed and hit.tier < COMBINED] or found
        if self.per != "none" or any(self._settles(hit, printed) for hit in found):
            return found
        return found + [_ranked(hit, printed) for hit in self.other_logits.hits(printed[0])]

    def _settles(self, hit: Hypothesis, printed: tuple[Printed, ...]) -> bool:
        """Whether a hit leaves nothing to look for: it is known, or near and unlikely to be chance."""
        near = all(one.is_near(value) for one, value in zip(printed, hit.values.tolist(), strict=True))
        return (near or hit.tier == KNOWN) and not is_accidental(hit, printed, [self.chance(printed)])

    def chance(self, printed: tuple[Printed, ...]) -> Chance:
        """How many of the hypotheses are expected to give the printed numbers by chance."""
        return Chance(self._tried, printed)

    @cached
    def other_logits(self) -> OtherLogits:
        """The losses of logits that are not the recorded ones."""
        return OtherLogits(self.context)

    @cached
    def _tried(self) -> Orders:
        """The values of all hypotheses, their tiers and costs."""
        grid, single = self.grid, self.single
        allowed = grid.tiers >= 0
        cost = np.broadcast_to(costs(self.components), grid.tiers.shape)
        return (
            np.append(grid.values[allowed][:, 0], [one.values[0] for one in single]),
            np.append(grid.tiers[allowed], [one.tier for one in single]),
            np.append(cost[allowed], [one.cost for one in single]),
        )


def _ranked(hit: Hypothesis, printed: tuple[Printed, ...]) -> Hypothesis:
    """A hit that only the loss of precision explains is less likely."""
    near = all(one.is_near(value) for one, value in zip(printed, hit.values.tolist(), strict=True))
    return hit if near or hit.tier == KNOWN else replace(hit, cost=hit.cost + FAR)
