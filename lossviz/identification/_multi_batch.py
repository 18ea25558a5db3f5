"""One number printed for several batches: how a loop combines them (spec/padding-bugs.md RED-12)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lossviz.identification._components import Mask, Unit
from lossviz.identification._context import Context
from lossviz.identification._hypothesis import BUG, COMBINED, KNOWN, UNIT, Hypothesis
from lossviz.identification.candidates._masks import masks
from lossviz.identification.candidates._splits import MEAN
from lossviz.identification.candidates._units import units
from lossviz.reductions import Reduction, reduction_named

__all__ = ["over_batches"]

Array = np.ndarray
ONCE = r"\frac{\sum_i \sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}}{\sum_i \sum_{b,t} w_{bt}}"
OF_BATCH = MEAN.replace(r"(b,t) \in g", "b,t")

OTHERS = {
    "mean": "",
    "language_model": "",
    "positions": "all positions",
    "encoder_decoder": "the number of sequences",
}
"""The reductions that a loop over batches may use, and what the last two divide by."""


class Average(NamedTuple):
    """How a loop combines the numbers of several batches.

    Attributes:
        code: of the convention or the bug; `aliases`: other codes for it.
        title: a few words; `clause`: what the loop does, to follow "Your loop".
        value: the number; `formula`: LaTeX.
        cost: how unlikely it is, below 1, to rank the four.
        is_bug: whether it is a mistake.
        only_in_units: whether it differs from the others only where the number is not printed in nats.
    """

    code: str
    aliases: tuple[str, ...]
    title: str
    value: Array
    formula: str
    clause: str
    cost: float
    is_bug: bool = True
    only_in_units: bool = False


class Total(NamedTuple):
    """What another reduction makes of several batches: its code, the number, what the loop does, whether by mistake."""

    code: str
    value: Array
    clause: str
    is_bug: bool = False


def over_batches(several: Sequence[Context]) -> Iterator[Hypothesis]:
    """Means over several batches, under the declared masks and under every mistaken one."""
    for row in zip(*(masks(context) for context in several), strict=False):
        if len({(mask.code, mask.key) for mask in row}) == 1:
            sums, weights = (np.array(column) for column in zip(*_sums(several, row), strict=True))
            for unit in units(several[0]):
                yield from _means(several, row, unit, sums, weights)
    for unit in units(several[0]):
        for name in OTHERS:
            yield from _others(several, reduction_named(name), unit)


def _sums(several: Sequence[Context], row: Sequence[Mask]) -> Iterator[tuple[float, float]]:
    for context, mask in zip(several, row, strict=True):
        weighted = np.where(mask.weights != 0, mask.weights * context.loss, 0.0)
        yield float(weighted.sum()), float(mask.weights.sum())


def _means(
    several: Sequence[Context], row: Sequence[Mask], unit: Unit, sums: Array, weights: Array
) -> Iterator[Hypothesis]:
    sizes = np.array([context.sequences for context in several], float)
    with np.errstate(all="ignore"):
        averages = tuple(_averages(unit, sums, weights, sizes))
    for average in averages:
        if not (average.only_in_units and unit.is_plain):
            yield _mean(average, row[0], unit, weights)


def _averages(unit: Unit, sums: Array, weights: Array, sizes: Array) -> Iterator[Average]:
    count, each = len(sizes), sums / weights
    of_all = rf"\frac{{1}}{{{count}}}\sum_i {OF_BATCH}"
    yield Average(
        "C03",
        ("C14n", "C18", "C03n", "C05w"),
        "Divided once",
        unit.of(sums.sum() / weights.sum()),
        ONCE,
        f"adds up the losses of {count} batches and divides once by what counts in all of them",
        cost=0.1,
        is_bug=False,
    )
    yield Average(
        "RED12",
        ("C21", "C18o", "RED01"),
        "Mean of the batches' means",
        unit.of(each.mean()),
        of_all,
        f"averages the means of {count} batches",
        cost=0.2,
    )
    yield Average(
        "RED12",
        ("C21b", "C21"),
        "Mean of the batches' means, by their size",
        unit.of((sizes * each).sum() / sizes.sum()),
        rf"\sum_i \tfrac{{B_i}}{{B}}\,{OF_BATCH}",
        f"averages the means of {count} batches, each weighted by its number of sequences",
        cost=0.4,
    )
    yield Average(
        "RED12",
        (),
        "Mean of the batches' numbers",
        unit.of(each).mean(),
        of_all,
        f"averages what it prints for {count} batches",
        cost=0.3,
        only_in_units=True,
    )


def _mean(average: Average, mask: Mask, unit: Unit, weights: Array) -> Hypothesis:
    parts = [part for part in (mask, unit) if not part.is_plain]
    is_bug = average.is_bug or not mask.is_plain
    return Hypothesis(
        code=average.code,
        title=", ".join([average.title, *(part.title[:1].lower() + part.title[1:] for part in parts)]),
        values=np.array([average.value]),
        kind="bug" if is_bug else "convention" if unit.is_plain else "unit",
        tier=_tier(average, mask, unit),
        cost=float(sum(part.cost for part in parts)) + 2 * average.is_bug + average.cost,
        sentence=", and ".join([average.clause, *(part.clause for part in parts)]),
        formula=unit.formula.replace("{}", average.formula),
        arrays=lambda: _arrays(mask, weights),
        codes=(average.code, *(part.code for part in parts)),
        aliases=average.aliases,
        bugs=tuple(code for code in (average.code if average.is_bug else "", mask.code) if code),
        is_sure=mask.is_plain,
        parts=frozenset([average.title, *(f"{part.code} {part.key}" for part in parts)]),
    )


def _others(several: Sequence[Context], reduction: Reduction, unit: Unit) -> Iterator[Hypothesis]:
    """What a loop with another reduction prints for several batches."""
    with np.errstate(all="ignore"):
        for total in _totals(several, reduction):
            yield _other(several, reduction, unit, total)


def _totals(several: Sequence[Context], reduction: Reduction) -> Iterator[Total]:
    """The batches reduced together, averaged, or averaged by their size."""
    reduced = [reduction.reduce(*_counted(context), context.options) for context in several]
    above, below = (np.array([getattr(one, name).sum() for one in reduced]) for name in ("numerator", "divisor"))
    sizes, each = np.array([context.sequences for context in several], float), above / below
    batches, own = f"{len(several)} batches", OTHERS[reduction.name]
    if reduction.name == "mean":
        yield Total("RED02", each.sum(), f"adds up the means of {batches} and does not divide by them", is_bug=True)
        yield Total("RED17", each[-1], f"prints the last of {batches} only", is_bug=True)
    elif reduction.name == "language_model":
        yield Total(reduction.code or "", above.sum(), f"adds up the losses of {batches} and divides by nothing")
    else:
        yield Total(reduction.code or "", above.sum() / below.sum(), f"adds up {batches} and divides once by {own}")
        averaged = f"averages what it prints for {batches}, each divided by {own}"
        yield Total("RED12", each.mean(), averaged, is_bug=True)
        if reduction.name == "positions":  # by their size, sums ÷ B are divided once
            yield Total("C21b", (sizes * each).sum() / sizes.sum(), f"{averaged}, weighted by its number of sequences")


def _other(several: Sequence[Context], reduction: Reduction, unit: Unit, total: Total) -> Hypothesis:
    code, value, sentence, is_bug = total
    own, weights = (reduction.code or ""), several[0].weights
    codes = tuple(dict.fromkeys(one for one in (code, own, unit.code) if one))
    return Hypothesis(
        code=code,
        title=f"{reduction.title}, of {len(several)} batches",
        values=unit.of(np.atleast_1d(value)),
        kind="bug" if is_bug else "convention" if unit.is_plain else "unit",
        tier=UNIT if unit.is_plain else COMBINED,
        cost=10.0 + unit.cost + (code == "RED12"),
        sentence=sentence if unit.is_plain else f"{sentence}, and {unit.clause}",
        formula=unit.formula.replace("{}", reduction.formula),
        arrays=lambda: (weights / (float(weights.sum()) or 1.0), weights != 0),
        codes=codes,
        aliases=("PAD02",) if own == "C05" else (),
        bugs=tuple(one for one in (code, "PAD02" if own == "C05" else "") if one),
        is_sure=True,
        parts=frozenset([sentence, unit.key, unit.code]),
    )


def _counted(context: Context) -> tuple[Array, Array]:
    return np.where(context.weights != 0, context.loss, 0.0), context.weights


def _tier(average: Average, mask: Mask, unit: Unit) -> int:
    if not mask.is_plain:
        return COMBINED
    return UNIT if not unit.is_plain else BUG if average.is_bug else KNOWN


def _arrays(mask: Mask, weights: Array) -> tuple[Array, Array]:
    """The first batch's share of the sum over all batches."""
    return mask.weights / max(float(weights.sum()), 1e-300), mask.weights != 0
