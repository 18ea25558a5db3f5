"""Losses of logits that are not the recorded ones: scaled, before or after a soft cap (MOD-10).

Each costs a pass over the logits. So a sample of the timesteps is read first, and all of them only for what the sample
leaves possible.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from lossviz.identification._components import Loss
from lossviz.identification._context import Context
from lossviz.identification._hypothesis import BUG, UNIT, Hypothesis, combined
from lossviz.identification._reported import Printed
from lossviz.identification.candidates._losses_of_logits import Losses, Other, others
from lossviz.identification.candidates._masks import masks
from lossviz.identification.candidates._reductions import reductions
from lossviz.identification.candidates._units import units

__all__ = ["OtherLogits"]

Array = np.ndarray
SAMPLE = 1 << 20
"""How many logits the sample has; a batch of no more is read whole."""

BLOCK = 1 << 20
MOST_PASSES = 1 << 30
"""How many logits are read for one number: of the largest batches, those of two or three formulas."""

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
        scores, budget = context.analysis.scores, MOST_PASSES
        most = max(1, SAMPLE // scores.shape[2])
        sampled = self._places[np.linspace(0, len(self._places) - 1, min(most, len(self._places))).astype(int)]
        plain, weights = context.loss.reshape(-1), context.weights.reshape(-1)
        found = []
        for other in others(context):
            each = _losses_at(scores, context.targets, sampled, other.losses)
            estimate, error = self._mean(each, sampled, plain, weights)
            near = [one for one in wanted if abs(estimate - one[0].value) <= error + one[0].tolerance]
            cost = len(self._places) * scores.shape[2]
            if not near or (len(sampled) < len(self._places) and cost > budget):
                continue
            if len(sampled) < len(self._places):
                budget -= cost
                each = _losses_at(scores, context.targets, self._places, other.losses)
            losses = np.zeros(context.weights.shape)
            losses.reshape(-1)[self._places if len(each) == len(self._places) else sampled] = each
            found += [hit for one in near for hit in self._hypotheses(other, losses, one[1], printed)]
        return found

    def _wanted(self, printed: Printed) -> list[tuple[Printed, int]]:
        """The mean that would have been printed as the number, and its unit: as it is, or as a perplexity."""
        if not np.isfinite(printed.value) or not self._context.analysis.has_logits:
            return []
        wanted = [(printed, 0)]
        if printed.value > 1:
            in_nats = replace(printed, value=float(np.log(printed.value)), tolerance=printed.tolerance / printed.value)
            wanted.append((in_nats, 2))
        return wanted

    def _mean(self, each: Array, sampled: Array, plain: Array, weights: Array) -> tuple[float, float]:
        """The mean of all timesteps and how far it may be off, by what the sample says of the difference."""
        own = weights[sampled]
        difference = each - plain[sampled]
        mean = float(self._context.total / self._context.weight + (own * difference).sum() / own.sum())
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
