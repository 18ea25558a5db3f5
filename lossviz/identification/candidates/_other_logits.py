"""Losses of logits that are not the recorded ones: scaled, before or after a soft cap (MOD-10).

Each costs a pass over the logits. So a sample of the timesteps is read first, and all of them only for what the sample
leaves possible.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from lossviz.identification._components import Loss
from lossviz.identification._context import Context
from lossviz.identification._hypothesis import BUG, UNIT, Hypothesis, combined
from lossviz.identification._reported import Printed
from lossviz.identification.candidates._losses_of_logits import Losses, Other, families
from lossviz.identification.candidates._masks import masks
from lossviz.identification.candidates._reductions import reductions
from lossviz.identification.candidates._units import units

__all__ = ["OtherLogits"]

Array = np.ndarray
SAMPLE, FEWEST = 1 << 18, 64
"""How many logits the sample has, and how many timesteps at least; a batch of no more is read whole."""

SMALL, STEP = 1 << 15, 8
"""Of a sample with more logits, only every eighth loss of a family is evaluated at first."""

BLOCK = 1 << 20
MOST_READ = 1 << 29
"""How many logits are read for one number: of the largest batches, those of one formula."""

ERRORS = 5.0
"""How many standard errors the mean of all timesteps may be from that of the sample."""


class OtherLogits:
    """The other losses of a batch, estimated from a sample of the timesteps that count."""

    def __init__(self, context: Context) -> None:
        self._context = context
        inside = (context.targets >= 0) & (context.targets < context.classes) if context.analysis.has_logits else False
        self._places = np.flatnonzero((context.weights != 0) & inside & np.isfinite(context.loss))

    def hits(self, printed: Printed) -> list[Hypothesis]:
        """What gives the printed number as the mean of what counts, or e to its power."""
        context = self._context
        wanted = self._wanted(printed)
        if not wanted or not len(self._places) or len(self._places) < context.counting:
            return []
        scores, budget = context.analysis.scores, MOST_READ
        rows = min(len(self._places), max(FEWEST, SAMPLE // scores.shape[2]))
        sampled = self._places[np.linspace(0, len(self._places) - 1, rows).astype(int)]
        found: list[Hypothesis] = []
        for family in families(context):
            for other, each, near in self._near(family, sampled, wanted):
                if rows < len(self._places):
                    budget -= len(self._places) * scores.shape[2]
                    if budget < 0:
                        return found
                    each = _losses_at(scores, context.targets, self._places, other.losses)
                losses = np.zeros(context.weights.shape)
                losses.reshape(-1)[self._places] = each
                found += [hit for unit in near for hit in self._hypotheses(other, losses, unit, printed)]
        return found

    def _near(
        self, family: tuple[Other, ...], sampled: Array, wanted: list[tuple[Printed, int]]
    ) -> Iterator[tuple[Other, Array, list[int]]]:
        """Those whose mean may be a wanted one, with their losses at the sample, and the units in which it is wanted.

        Every eighth is evaluated, and those between only where a wanted mean may lie between.
        """
        scores, targets = self._context.analysis.scores, self._context.targets
        known: dict[int, tuple[Array, float, float]] = {}

        def evaluated(index: int) -> tuple[Array, float, float]:
            if index not in known:
                each = _losses_at(scores, targets, sampled, family[index].losses)
                known[index] = (each, *self._mean(each, sampled))
            return known[index]

        step = 1 if len(sampled) * scores.shape[2] <= SMALL else STEP
        coarse = [*range(0, len(family), step)]
        coarse += [len(family) - 1] if family and coarse[-1] < len(family) - 1 else []
        for first, last in pairwise(coarse):
            (_, one, off), (_, other, further) = evaluated(first), evaluated(last)
            slack = abs(one - other) + max(off, further)
            if any(min(one, other) - slack <= target.value <= max(one, other) + slack for target, _ in wanted):
                for index in range(first, last + 1):
                    evaluated(index)
        for index, (each, mean, error) in sorted(known.items()):
            near = [unit for target, unit in wanted if abs(mean - target.value) <= error + target.tolerance]
            if near:
                yield family[index], each, near

    def _wanted(self, printed: Printed) -> list[tuple[Printed, int]]:
        """The mean that would have been printed as the number, and its unit: as it is, or as a perplexity."""
        if not np.isfinite(printed.value) or not self._context.analysis.has_logits:
            return []
        wanted = [(printed, 0)]
        if printed.value > 1:
            in_nats = replace(printed, value=float(np.log(printed.value)), tolerance=printed.tolerance / printed.value)
            wanted.append((in_nats, 2))
        return wanted

    def _mean(self, each: Array, sampled: Array) -> tuple[float, float]:
        """The mean of all timesteps and how far it may be off, by what the sample says of the difference."""
        context = self._context
        own = context.weights.reshape(-1)[sampled]
        difference = each - context.loss.reshape(-1)[sampled]
        mean = float(context.total / context.weight + (own * difference).sum() / own.sum())
        if len(sampled) == len(self._places):
            return mean, 0.0
        return mean, ERRORS * float(difference.std()) / np.sqrt(len(sampled))

    def _hypotheses(self, other: Other, losses: Array, unit: int, printed: Printed) -> Iterator[Hypothesis]:
        context = self._context
        number = float((losses * context.weights).sum() / context.weight)
        if not printed.is_hit(float(np.exp(number)) if unit else number):
            return
        loss = Loss(
            code="MOD10",
            title=other.title,
            clause=other.clause,
            formula=other.formula,
            cost=other.cost,
            key=other.title,
            values=losses,
            guessed="logits",
        )
        chosen = (loss, masks(context)[0], reductions(context)[0], units(context)[unit])
        yield combined(chosen, np.array([np.exp(number) if unit else number]), UNIT if unit else BUG)


def _losses_at(scores: Array, targets: Array, places: Array, losses: Losses) -> Array:
    """The losses of some timesteps, by their places in the batch laid out flat, a block at a time."""
    size = max(1, BLOCK // scores.shape[2])
    found = np.empty(len(places))
    for start in range(0, len(places), size):
        some = places[start : start + size]
        row, column = np.unravel_index(some, targets.shape)
        block = np.asarray(scores[row, column])
        wide = np.float64 if len(places) * scores.shape[2] <= SAMPLE or block.dtype.itemsize > 4 else np.float32
        with np.errstate(all="ignore"):
            found[start : start + size] = losses(block.astype(wide), targets[row, column])
    return found
