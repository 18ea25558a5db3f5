"""Losses of logits that are not the recorded ones: scaled, before or after a soft cap; and binary ones of each class.

Each costs a pass over the logits. So a sample of the timesteps is read first, and all of them only for what the sample
leaves possible.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from lossviz.identification._components import Loss
from lossviz.identification._context import Context
from lossviz.identification._hypothesis import BUG, UNIT, Hypothesis, combined
from lossviz.identification._reported import Printed
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

POWERS = [2.0**k for k in (*range(-6, 0), *range(1, 7))]
SCALES = dict.fromkeys(
    [
        *POWERS,
        *(k / 10 for k in range(1, 51)),
        *(k / 20 for k in range(1, 40, 2)),
        *(k / 2 for k in range(11, 21)),
        *(float(k) for k in range(11, 17)),
        *(10.0 * k for k in range(2, 11)),
    ]
)
TEMPERATURES = [k / 10 for k in (3, 6, 7, 9, 11, 12, 13, 14, 15, 17, 18, 19, 30)]
ROOTS = (32, 128, 512, 768, 2048, 8192, 24, 48, 80, 96, 192, 384, 640, 1280, 1536)
"""Widths of models by whose square root logits are divided, where it is no power of two."""

CAPS = (10, 12, 15, 16, 20, 24, 25, 30, 32, 35, 40, 45, 48, 50, 55, 60, 64, 65, 70, 75, 80, 85, 90, 95, 100)
"""The soft caps c of c · tanh(z / c) that are tried."""

Losses = Callable[[Array, Array], Array]


@dataclass(frozen=True, eq=False)
class Other:
    """Another loss of a timestep's logits.

    Attributes:
        code: its bug.
        title: a few words.
        clause: what the loop does.
        formula: LaTeX.
        cost: how unlikely it is.
        losses: (logits [n, V], targets [n]) → [n].
        in_nats: whether e to its power may be printed for a perplexity.
    """

    code: str
    title: str
    clause: str
    formula: str
    cost: int
    losses: Losses
    in_nats: bool = True


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
        for other in _others(context):
            each = _losses_at(scores, context.targets, sampled, other.losses)
            estimate, error = self._mean(each, sampled, plain, weights)
            near = [one for one in wanted if (other.in_nats or one[1] == 0)]
            near = [one for one in near if abs(estimate - one[0].value) <= error + one[0].tolerance]
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
            code=other.code,
            title=other.title,
            clause=other.clause,
            formula=other.formula,
            cost=other.cost,
            key=other.title,
            values=losses,
            guessed="" if other.code == "MOD10" else "logits",
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


def _cross_entropy(z: Array, y: Array) -> Array:
    most = z.max(axis=1, keepdims=True)
    total = np.log(np.exp(z - most).sum(axis=1, dtype=np.float64))
    gap: Array = (most[:, 0] - _at(z, y)).astype(np.float64) + total
    return gap


def _at(z: Array, y: Array) -> Array:
    found: Array = z[np.arange(len(z)), y]
    return found


def _others(context: Context) -> Iterator[Other]:
    if context.classes > 2 or not context.is_classifier:
        yield from _binary(context)
    largest = float(np.nanmax(np.abs(context.analysis.largest_logit), initial=0.0))
    for scale in SCALES:
        if scale != 1:
            yield _scaled(scale, f"× {scale:g}", 14 if scale in POWERS else 16)
    for temperature in TEMPERATURES:
        yield _scaled(1 / temperature, f"÷ {temperature:g}, a temperature", 16)
    for width in ROOTS:
        yield _scaled(width**-0.5, f"÷ √{width}", 17)
    for cap in CAPS:
        cost = 14 if cap % 10 == 0 or cap == 15 else 16
        yield _capped(cap, cost)
        if largest < cap:
            yield _uncapped(cap, cost)


def _scaled(scale: float, words: str, cost: int) -> Other:
    def losses(z: Array, y: Array) -> Array:
        return _cross_entropy(z * z.dtype.type(scale), y)

    return Other(
        "MOD09",
        f"Logits {words}",
        f"takes the loss of the logits {words}",
        rf"z \to {scale:.4g}\,z",
        cost,
        losses,
    )


def _capped(cap: int, cost: int) -> Other:
    def losses(z: Array, y: Array) -> Array:
        return _cross_entropy(cap * np.tanh(z / z.dtype.type(cap)), y)

    return Other(
        "MOD09",
        f"Logits after a soft cap of {cap}",
        f"takes the loss of the logits after a soft cap of {cap}, {cap} · tanh(z / {cap})",
        rf"z \to {cap}\tanh(z/{cap})",
        cost,
        losses,
    )


def _uncapped(cap: int, cost: int) -> Other:
    def losses(z: Array, y: Array) -> Array:
        inside = np.clip(z.astype(np.float64) / cap, -1 + 1e-15, 1 - 1e-15)
        return _cross_entropy(cap * np.arctanh(inside), y)

    return Other(
        "MOD09",
        f"Logits before a soft cap of {cap}",
        f"takes the loss of the logits before a soft cap of {cap}; the recorded ones are {cap} · tanh(z / {cap})",
        rf"z \to {cap}\operatorname{{artanh}}(z/{cap})",
        cost,
        losses,
    )


def _binary(context: Context) -> Iterator[Other]:
    """The binary cross entropy of every class: of the softmax's probabilities, or of a sigmoid of each logit."""
    classes = context.classes
    for of, function, formula in (
        ("the softmax", _binary_of_softmax, r"p = \operatorname{softmax}(z)"),
        ("a sigmoid of each logit", _binary_of_sigmoid, r"p = \sigma(z)"),
    ):
        for averaged in (True, False):
            does = f"averages it over the {classes:,} classes" if averaged else "adds it up over the classes"
            total = r"-\sum_v [v = y]\log p_v + [v \ne y]\log(1 - p_v)"
            whole = rf"\tfrac{{1}}{{V}}\left({total}\right)" if averaged else total
            yield Other(
                "MOD10",
                f"Binary cross entropy of {of}, {'mean' if averaged else 'sum'} over V",
                f"takes the binary cross entropy of every class of {of} and {does}; the targets are one class each, "
                "whose loss is the categorical one",
                rf"\mathrm{{loss}} = {whole},\ {formula}",
                5,
                _over(function, classes if averaged else 1),
                in_nats=False,
            )


def _over(function: Losses, divisor: int) -> Losses:
    return lambda z, y: function(z, y) / divisor


def _binary_of_softmax(z: Array, y: Array) -> Array:
    z = z.astype(np.float64)
    most = z.max(axis=1, keepdims=True)
    e = np.exp(z - most)
    p = e / e.sum(axis=1, keepdims=True)
    others = np.log1p(-np.minimum(p, 1 - 1e-16))
    total: Array = _cross_entropy(z, y) - (others.sum(axis=1) - _at(others, y))
    return total


def _binary_of_sigmoid(z: Array, y: Array) -> Array:
    positive = np.logaddexp(0, z.astype(np.float64))
    total: Array = positive.sum(axis=1) - _at(z, y)
    return total
