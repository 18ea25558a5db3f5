"""One number printed for several batches: how their numbers were put together (spec/padding-bugs.md RED-12)."""

from collections.abc import Iterator, Sequence

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
"""The reductions that a loop over batches may use instead of the mean, and what the last two divide by."""


def over_batches(several: Sequence[Context]) -> Iterator[Hypothesis]:
    """Means over several batches, under the declared masks and each one that a mistake makes of them."""
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
    count, sizes = len(several), np.array([context.sequences for context in several], float)
    with np.errstate(all="ignore"):
        each = sums / weights
        rows = (
            ("C03", "C14n C18 C03n C05w", "Divided once", unit.of(sums.sum() / weights.sum()), ONCE,
             f"adds up the losses of {count} batches and divides once by what counts in all of them"),
            ("RED12", "C21 C18o RED01", "Mean of the batches' means", unit.of(each.mean()),
             rf"\frac{{1}}{{{count}}}\sum_i {OF_BATCH}", f"averages the means of {count} batches"),
            ("RED12", "C21b C21", "Mean of the batches' means, by their size",
             unit.of((sizes * each).sum() / sizes.sum()), rf"\sum_i \tfrac{{B_i}}{{B}}\,{OF_BATCH}",
             f"averages the means of {count} batches, each by its number of sequences"),
            ("RED12", "", "Mean of the batches' numbers", unit.of(each).mean(),
             rf"\frac{{1}}{{{count}}}\sum_i {OF_BATCH}", f"averages what it prints for {count} batches"),
        )  # fmt: skip
    for code, aliases, title, value, formula, sentence in rows:
        parts = [part for part in (row[0], unit) if not part.is_plain]
        if title.endswith("numbers") and unit.is_plain:
            continue
        yield Hypothesis(
            code=code,
            title=", ".join([title, *(part.title[:1].lower() + part.title[1:] for part in parts)]),
            values=np.array([value]),
            kind="bug" if code == "RED12" or not row[0].is_plain else "convention" if unit.is_plain else "unit",
            tier=_tier(code, row[0], unit),
            cost=float(sum(part.cost for part in parts)) + 2 * (code == "RED12") + len(title) / 100,
            sentence=", and ".join([sentence, *(part.clause for part in parts)]),
            formula=unit.formula.replace("{}", formula),
            arrays=lambda: _arrays(row[0], weights),
            codes=(code, *(part.code for part in parts)),
            aliases=tuple(aliases.split()),
            bugs=tuple(part for part in (code if code == "RED12" else "", row[0].code) if part),
            is_sure=row[0].is_plain,
            parts=frozenset([title, *(f"{part.code} {part.key}" for part in parts)]),
        )


def _others(several: Sequence[Context], reduction: Reduction, unit: Unit) -> Iterator[Hypothesis]:
    """What a loop that divides otherwise prints for several batches."""
    with np.errstate(all="ignore"):
        for code, value, sentence in _otherwise(several, reduction):
            yield _other(several, reduction, unit, code, unit.of(np.atleast_1d(value)), sentence)


def _otherwise(several: Sequence[Context], reduction: Reduction) -> Iterator[tuple[str, Array, str]]:
    """(code, number, sentence) of the batches divided by a reduction once, averaged, or averaged by their size."""
    reduced = [reduction.reduce(*_counted(context), context.options) for context in several]
    above, below = (np.array([getattr(one, name).sum() for one in reduced]) for name in ("numerator", "divisor"))
    sizes, each = np.array([context.sequences for context in several], float), above / below
    batches, own = f"{len(several)} batches", OTHERS[reduction.name]
    if reduction.name == "mean":
        yield "RED02", each.sum(), f"adds up the means of {batches} and does not divide by them"
        yield "RED17", each[-1], f"prints the last of {batches} only"
    elif reduction.name == "language_model":
        yield (reduction.code or ""), above.sum(), f"adds up the losses of {batches} and divides by nothing"
    else:
        yield (reduction.code or ""), above.sum() / below.sum(), f"adds up {batches} and divides once by {own}"
        yield "RED12", each.mean(), f"averages what it prints for {batches}, each divided by {own}"
        if reduction.name == "positions":  # by their size, sums ÷ B are divided once
            by_size = f"averages what it prints for {batches}, each divided by {own}, by its number of sequences"
            yield "C21b", (sizes * each).sum() / sizes.sum(), by_size


def _other(
    several: Sequence[Context], reduction: Reduction, unit: Unit, code: str, value: Array, sentence: str
) -> Hypothesis:
    own, weights = (reduction.code or ""), several[0].weights
    codes = tuple(dict.fromkeys(one for one in (code, own, unit.code) if one))
    return Hypothesis(
        code=code,
        title=f"{reduction.title}, of {len(several)} batches",
        values=value,
        kind="bug" if code.startswith("RED") else "convention" if unit.is_plain else "unit",
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


def _tier(code: str, mask: Mask, unit: Unit) -> int:
    if not mask.is_plain:
        return COMBINED
    return UNIT if not unit.is_plain else BUG if code == "RED12" else KNOWN


def _arrays(mask: Mask, weights: Array) -> tuple[Array, Array]:
    """Of the first batch: its part of the sum of all."""
    return mask.weights / max(float(weights.sum()), 1e-300), mask.weights != 0
