"""Means of the means of parts: micro-batches, ranks, chunks of time (spec/padding-bugs.md RED-01, 02, 03, 12, 17)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.identification._components import CandidateReduction
from lossviz.identification._context import Context
from lossviz.reductions import group_sums, quotient

__all__ = ["Cut", "cuts", "splits"]

Array = np.ndarray
FACTORS = (2, 3, 4, 8, 16, 32, 64)
"""The accumulation steps by which an undeclared factor is looked for (RED-02), where they divide B."""

CHUNKS = (2, 3, 4, 8, 16)
"""The chunks of time that are looked for where nobody says how many (RED-03)."""

MEAN = r"\frac{\sum_{(b,t) \in g} w_{bt}\,\mathrm{loss}_{bt}}{\sum_{(b,t) \in g} w_{bt}}"


@dataclass(frozen=True, eq=False)
class Cut:
    """A batch in parts: the part of each timestep, [B, T], from 0 to `parts` − 1.

    Attributes:
        of: what the parts are, in words: "micro-batches".
        how: which timesteps lie in one: "in order".
        code: RED01 for micro-batches, RED03 for ranks and chunks.
        is_said: whether the number of parts was declared.
    """

    groups: Array
    parts: int
    of: str
    how: str
    code: str
    is_given: bool

    @property
    def sizes(self) -> Array:
        """How many sequences lie in each part, [parts]."""
        return np.bincount(self.groups[:, 0], minlength=self.parts)

    @property
    def is_even(self) -> bool:
        """Whether all parts have as many sequences, so that weighing by them changes nothing."""
        return self.groups.size > 0 and bool((self.sizes == self.sizes[:1]).all())

    @property
    def name(self) -> str:
        """For "the 4 micro-batches"."""
        return f"{self.parts:,} {self.of}"


def cuts(context: Context) -> tuple[Cut, ...]:
    """The declared cuts, else even ones: into micro-batches or ranks of sequences, and into chunks of time."""
    steps, ranks = context.options.accumulation_steps, context.options.world_size
    found: list[Cut] = []
    if context.options.groups is not None:
        found.append(
            _of_rows(context, context.options.parts(context.sequences), "micro-batches", "as given", "RED01", True)
        )
    for given, of, code in ((steps, "micro-batches", "RED01"), (ranks, "ranks", "RED03")):
        if given is not None and given <= context.sequences:
            found += [_of_rows(context, parts, of, how, code, True) for parts, how in _rows(context.sequences, given)]
    if steps and ranks and 1 < steps * ranks <= context.sequences and steps > 1 < ranks:
        each = _rows(context.sequences, steps * ranks)
        found += [_of_rows(context, parts, "micro-batches of all ranks", how, "RED01", True) for parts, how in each]
    if steps is None and ranks is None and context.options.groups is None:
        for count in range(2, context.sequences):
            if context.sequences % count == 0:
                found += [
                    _of_rows(context, parts, "micro-batches", how, "RED01", False)
                    for parts, how in _rows(context.sequences, count)
                ]
    return tuple(found) + tuple(_of_time(context))


def _rows(sequences: int, parts: int) -> Iterator[tuple[Array, str]]:
    rows = np.arange(sequences)
    first = np.repeat(np.arange(parts), [len(part) for part in np.array_split(rows, parts)])
    yield first, "in order"
    if sequences % parts:
        yield parts - 1 - first[::-1], "in order, the larger ones last"
        size = -(-sequences // parts)
        if rows[-1] // size == parts - 1 and not np.array_equal(rows // size, first):
            yield rows // size, "in order, the last one the rest"
    if 1 < parts < sequences:
        yield rows % parts, "sequences dealt out in turn"


def _of_rows(context: Context, parts: Array, of: str, how: str, code: str, is_given: bool) -> Cut:
    groups = np.broadcast_to(parts[:, None], context.weights.shape)
    return Cut(groups, int(parts.max(initial=-1)) + 1, of, how, code, is_given)


def _of_time(context: Context) -> Iterator[Cut]:
    given = context.options.world_size
    for count in (given,) if given is not None else CHUNKS:
        if 1 < count <= context.timesteps:
            pieces = [len(part) for part in np.array_split(np.arange(context.timesteps), count)]
            groups = np.broadcast_to(np.repeat(np.arange(count), pieces), context.weights.shape)
            yield Cut(groups, count, "chunks of time", "in order", "RED03", given is not None)


def splits(context: Context) -> tuple[CandidateReduction, ...]:
    """What a loop that divides part by part may print, and what a forgotten division by k leaves."""
    return (*(reduction for cut in cuts(context) for reduction in _of_cut(cut)), *_factors(context))


def _of_cut(cut: Cut) -> Iterator[CandidateReduction]:
    cost = (3 if cut.how in ("in order", "as given") else 5) + (0 if cut.is_given else 8)
    common: dict[str, Any] = {
        "is_sure": cut.is_given,
        "is_guess": not cut.is_given,
        "key": f"{cut.of} {cut.parts} {cut.how}",
    }
    rows = cut.of != "chunks of time"
    yield CandidateReduction(
        code=cut.code,
        title=f"Mean of the means of {cut.name}",
        clause=f"averages the means of {cut.name} ({cut.how})",
        formula=rf"\frac{{1}}{{{cut.parts}}}\sum_g {MEAN}",
        cost=cost,
        aliases=("C18", "C21", "RED12", "RED01") if cut.code == "RED01" else ("RED12", "C21") * (rows and cut.is_even),
        coefficients=_group_means(cut.groups, cut.parts, 1 / max(cut.parts, 1)),
        **common,
    )
    yield CandidateReduction(
        code="RED02" if rows else "RED03",
        title=f"Sum of the means of {cut.name}",
        clause=f"adds up the means of {cut.name} ({cut.how}) and does not divide by {cut.parts:,}",
        formula=rf"\sum_g {MEAN}",
        cost=cost + 1,
        coefficients=_group_means(cut.groups, cut.parts, 1.0),
        **{**common, "key": common["key"] + " sum"},
    )
    if rows:
        yield from _weighted_and_last(cut, cost, common)


def _weighted_and_last(cut: Cut, cost: int, common: dict[str, Any]) -> Iterator[CandidateReduction]:
    if not cut.groups.size:
        return
    if not cut.is_even:
        yield CandidateReduction(
            code="RED12",
            title=f"Means of {cut.name}, by their size",
            clause=f"averages the means of {cut.name} ({cut.how}), each by its number of sequences",
            formula=rf"\sum_g \tfrac{{B_g}}{{B}}\,{MEAN}",
            cost=cost + 2,
            aliases=("C21",),
            coefficients=_group_means(cut.groups, cut.parts, cut.sizes / max(len(cut.groups), 1)),
            **{**common, "key": f"{common['key']} weighted"},
        )
    last = np.arange(cut.parts) == cut.parts - 1
    yield CandidateReduction(
        code="RED17",
        title=f"Only the last of {cut.name}",
        clause=f"prints the mean of the last of {cut.name} ({cut.how})",
        formula=MEAN.replace(r"\in g", r"\in \mathrm{last}"),
        cost=cost + 2,
        aliases=("C19",),
        coefficients=_group_means(cut.groups, cut.parts, last.astype(float)),
        **{**common, "key": f"{common['key']} last"},
    )


def _group_means(groups: Array, parts: int, factor: float | Array) -> Callable[[Array], Array]:
    """Coefficients of Σ_g factor_g · S_g / N_g."""

    def coefficients(weights: Array) -> Array:
        _, own = group_sums(np.zeros_like(weights), weights, groups)
        own = np.pad(own, (0, parts - len(own)))
        each = quotient(np.broadcast_to(factor, own.shape), own)
        return weights * each[groups] if weights.size else weights

    return coefficients


def _factors(context: Context) -> Iterator[CandidateReduction]:
    """K times the mean, where k was not said but divides B."""
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
                is_guess=True,
                key=f"times {k}",
                coefficients=_times_mean(k),
            )


def _times_mean(k: int) -> Callable[[Array], Array]:
    return lambda weights: k * weights / (weights.sum() or 1.0)
