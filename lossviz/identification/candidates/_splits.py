"""What a loop may print that divides each part by itself (spec/padding-bugs.md RED-01, 02, 03, 12, 17)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lossviz.identification._components import CandidateReduction
from lossviz.identification._context import Context
from lossviz.identification._partition import Weighed
from lossviz.identification.candidates._cuts import DOCUMENTS, FLAT_CHUNKS, Cut, cuts
from lossviz.reductions import quotient

__all__ = ["MEAN", "splits"]

Array = np.ndarray
FACTORS = (2, 3, 4, 8, 16, 32, 64)
"""The numbers of accumulation steps tried when none was given, where they divide B (RED-02)."""

MEAN = r"\frac{\sum_{(b,t) \in g} w_{bt}\,\mathrm{loss}_{bt}}{\sum_{(b,t) \in g} w_{bt}}"


MOST_PARTS = 16
"""The largest number of parts each of which may be the one that was printed; of more, the first and the last."""


def splits(context: Context) -> tuple[CandidateReduction, ...]:
    """What a loop may print that divides each part by itself, or that forgets to divide by their number."""
    return (*(reduction for cut in cuts(context) for reduction in _of_cut(cut, context)), *_factors(context))


def _of_cut(cut: Cut, context: Context) -> Iterator[CandidateReduction]:
    cost = (3 if cut.is_usual else 5) + (0 if cut.is_given else 8) + cut.kind.cost
    common: dict[str, Any] = {
        "is_sure": cut.is_given,
        "guessed": "" if cut.is_given else cut.kind.option,
        "key": cut.key,
        "partition": cut.partition,
    }
    if cut.kind is DOCUMENTS:
        yield _mean_of_documents(cut, common)
        return
    yield from _means(cut, cost, common)
    if cut.kind.is_of_sequences and cut.is_given:
        yield from _by_size(cut, cost, common)
    if cut.kind is not FLAT_CHUNKS and cut.partition.parts:
        yield from _parts_alone(cut, cost, common, context)


def _mean_of_documents(cut: Cut, common: dict[str, Any]) -> CandidateReduction:
    filled = cut.parts - len(cut.empty)
    return CandidateReduction(
        code="C07",
        title="Mean of each document's mean",
        clause=f"averages the losses of each document, then averages the {filled:,} means",
        formula=rf"\frac{{1}}{{{filled}}}\sum_g {MEAN}",
        is_bug=False,
        cost=1,
        factors=_each_mean(cut, 1 / max(filled, 1)),
        **common,
    )


def _means(cut: Cut, cost: int, common: dict[str, Any]) -> Iterator[CandidateReduction]:
    if cut.kind.code == "RED01":
        aliases: tuple[str, ...] = ("C18", "C21", "RED12", "RED01")
    else:
        aliases = ("RED12", "C21") if cut.kind.is_of_sequences and cut.is_even else ()
    yield CandidateReduction(
        code=cut.kind.code,
        title=f"Mean of the means of {cut.name}",
        clause=f"averages the means of {cut.name} ({cut.how})",
        formula=rf"\frac{{1}}{{{cut.parts}}}\sum_g {MEAN}",
        cost=cost,
        aliases=aliases,
        factors=_each_mean(cut, 1 / max(cut.parts, 1)),
        **common,
    )
    yield CandidateReduction(
        code="RED02" if cut.kind.code == "RED01" or cut.kind.is_of_sequences else "RED03",
        title=f"Sum of the means of {cut.name}",
        clause=f"adds up the means of {cut.name} ({cut.how}) and does not divide by {cut.parts:,}",
        formula=rf"\sum_g {MEAN}",
        cost=cost + 1,
        factors=_each_mean(cut, 1.0),
        **{**common, "key": f"{cut.key} sum"},
    )
    if cut.empty:
        filled = cut.parts - len(cut.empty)
        yield CandidateReduction(
            code=cut.kind.code,
            title=f"Mean of the means of {filled:,} of {cut.name}",
            clause=f"averages the means of the {filled:,} of {cut.name} ({cut.how}) in which something counts",
            formula=rf"\frac{{1}}{{{filled}}}\sum_g {MEAN}",
            cost=cost + 1,
            factors=_each_mean(cut, 1 / max(filled, 1)),
            **{**common, "key": f"{cut.key} filled"},
        )


def _by_size(cut: Cut, cost: int, common: dict[str, Any]) -> Iterator[CandidateReduction]:
    if cut.is_even or not cut.partition.parts:
        return
    yield CandidateReduction(
        code="RED12",
        title=f"Means of {cut.name}, by their size",
        clause=f"averages the means of {cut.name} ({cut.how}), each weighted by its number of sequences",
        formula=rf"\sum_g \tfrac{{B_g}}{{B}}\,{MEAN}",
        cost=cost + 2,
        aliases=("C21",),
        factors=_each_mean(cut, cut.sizes / max(int(cut.sizes.sum()), 1)),
        **{**common, "key": f"{cut.key} weighted"},
    )


def _parts_alone(cut: Cut, cost: int, common: dict[str, Any], context: Context) -> Iterator[CandidateReduction]:
    """One part's own mean, and its sum divided by what counts in all of them."""
    last = cut.parts - 1
    every = cut.is_given and cut.parts <= MOST_PARTS
    for part in range(last, -1, -1) if every else dict.fromkeys((last, 0)):
        only = (np.arange(cut.parts) == part).astype(float)
        name = cut.called(part)
        further = 0 if part == last else 1
        if cut.kind.is_of_sequences or cut.is_given:
            yield CandidateReduction(
                code="RED17",
                title=f"Only {name}",
                clause=f"prints the mean of {name} ({cut.how})",
                formula=MEAN.replace(r"\in g", rf"\in g_{{{part}}}"),
                cost=cost + 2 + further,
                aliases=("C19",) if part == last else (),
                factors=_each_mean(cut, only),
                **{**common, "key": f"{cut.key} {'last' if part == last else part}"},
            )
        yield CandidateReduction(
            code="RED17",
            title=f"Only {name}, divided by what counts in all",
            clause=f"prints the sum of {name} ({cut.how}) divided by {context.what_counts}, its share of the mean",
            formula=MEAN.replace(r"\in g", rf"\in g_{{{part}}}", 1).replace(r"(b,t) \in g", "b,t"),
            cost=cost + 3 + further,
            factors=_share(only),
            **{**common, "key": f"{cut.key} share {part}"},
        )


def _each_mean(cut: Cut, factor: float | Array) -> Callable[[Weighed], Array]:
    """The factors of Σ_g factor_g · S_g / N_g; a part in which nothing counts has 0."""

    def factors(weighed: Weighed) -> Array:
        own = weighed.own(cut.partition)
        return quotient(np.broadcast_to(factor, own.shape), own)

    return factors


def _share(only: Array) -> Callable[[Weighed], Array]:
    return lambda weighed: quotient(only, np.array(weighed.total))


def _factors(context: Context) -> Iterator[CandidateReduction]:
    """K times the mean, for each usual k that divides B, where k was not given."""
    if context.options.accumulation_steps is not None:
        return
    for k in FACTORS:
        if context.sequences and context.sequences % k == 0:
            yield CandidateReduction(
                code="RED02",
                title=f"The mean, times {k}",
                clause=f"prints {k} times the mean, as if {k} micro-batches were added up and not averaged",
                formula=rf"{k}\cdot\frac{{\sum_{{b,t}} w_{{bt}}\,\mathrm{{loss}}_{{bt}}}}{{\sum_{{b,t}} w_{{bt}}}}",
                cost=12,
                guessed="accumulation_steps",
                key=f"times {k}",
                partition=context.everything,
                factors=_times_mean(k),
            )


def _times_mean(k: int) -> Callable[[Weighed], Array]:
    return lambda weighed: quotient(np.full(1, float(k)), np.array([weighed.total]))
