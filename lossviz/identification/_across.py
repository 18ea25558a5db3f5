"""One number printed for several batches: how their numbers were put together (padding-bugs.md RED-12)."""

from collections.abc import Iterator, Sequence

import numpy as np

from lossviz.identification._facts import Facts
from lossviz.identification._hypothesis import BUG, COMBINED, KNOWN, UNIT, Hypothesis
from lossviz.identification._masks import masks
from lossviz.identification._splits import MEAN
from lossviz.identification._steps import Mask, Unit
from lossviz.identification._units import units

__all__ = ["across"]

Array = np.ndarray
ONCE = r"\frac{\sum_i \sum_{b,t} w_{bt}\,\mathrm{loss}_{bt}}{\sum_i \sum_{b,t} w_{bt}}"
OF_BATCH = MEAN.replace(r"(b,t) \in g", "b,t")


def across(several: Sequence[Facts]) -> Iterator[Hypothesis]:
    """Means over several batches, under the declared masks and each one that a mistake makes of them."""
    for row in zip(*(masks(facts) for facts in several), strict=False):
        if len({(mask.code, mask.key) for mask in row}) == 1:
            sums, weights = (np.array(column) for column in zip(*_sums(several, row), strict=True))
            for unit in units(several[0]):
                yield from _means(several, row, unit, sums, weights)


def _sums(several: Sequence[Facts], row: Sequence[Mask]) -> Iterator[tuple[float, float]]:
    for facts, mask in zip(several, row, strict=True):
        weighted = np.where(mask.weights != 0, mask.weights * facts.loss, 0.0)
        yield float(weighted.sum()), float(mask.weights.sum())


def _means(
    several: Sequence[Facts], row: Sequence[Mask], unit: Unit, sums: Array, weights: Array
) -> Iterator[Hypothesis]:
    count, sizes = len(several), np.array([facts.sequences for facts in several], float)
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


def _tier(code: str, mask: Mask, unit: Unit) -> int:
    if not mask.is_plain:
        return COMBINED
    return UNIT if not unit.is_plain else BUG if code == "RED12" else KNOWN


def _arrays(mask: Mask, weights: Array) -> tuple[Array, Array]:
    """Of the first batch: its part of the sum of all."""
    return mask.weights / max(float(weights.sum()), 1e-300), mask.weights != 0
