"""Means of the means of parts: micro-batches, ranks, chunks of time (spec/padding-bugs.md RED-01, 02, 03, 12, 17)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossviz.identification._components import CandidateReduction
from lossviz.identification._context import Context
from lossviz.reductions import quotient

__all__ = ["Cut", "Kind", "cuts", "splits"]

Array = np.ndarray
FACTORS = (2, 3, 4, 8, 16, 32, 64)
"""The numbers of accumulation steps tried when none was given, where they divide B (RED-02)."""

CHUNK_COUNTS = (2, 3, 4, 8, 16)
"""The numbers of chunks of time tried when none was given (RED-03)."""

MEAN = r"\frac{\sum_{(b,t) \in g} w_{bt}\,\mathrm{loss}_{bt}}{\sum_{(b,t) \in g} w_{bt}}"


class Kind(NamedTuple):
    """What a batch is cut into.

    Attributes:
        name: in the plural.
        code: the bug of averaging their means.
        option: the option that says how many there are.
        is_of_time: whether the cut runs along the timesteps rather than the sequences.
    """

    name: str
    code: str
    option: str
    is_of_time: bool = False


MICRO_BATCHES = Kind("micro-batches", "RED01", "accumulation_steps")
RANKS = Kind("ranks", "RED03", "world_size")
MICRO_BATCHES_OF_RANKS = Kind("micro-batches of all ranks", "RED01", "accumulation_steps")
CHUNKS = Kind("chunks of time", "RED03", "world_size", is_of_time=True)


class Assignment(NamedTuple):
    """The part that each sequence goes to, [B], in words too, and whether loops usually do it like that."""

    parts: Array
    how: str
    is_usual: bool = True


@dataclass(frozen=True, eq=False)
class Cut:
    """A batch cut into parts.

    Attributes:
        kind: what the parts are.
        groups: the part of each timestep, [B, T], from 0 to `parts` − 1.
        parts: how many parts there are.
        how: how the timesteps are assigned to the parts, in words: "in order".
        is_usual: whether loops usually assign them like that.
        is_given: whether the number of parts was given.
    """

    kind: Kind
    groups: Array
    parts: int
    how: str
    is_usual: bool
    is_given: bool

    @property
    def sizes(self) -> Array:
        """The number of sequences in each part, [parts]."""
        return np.bincount(self.groups[:, 0], minlength=self.parts)

    @property
    def is_even(self) -> bool:
        """Whether all parts have the same number of sequences, so that weighting by it changes nothing."""
        return self.groups.size > 0 and bool((self.sizes == self.sizes[:1]).all())

    @property
    def name(self) -> str:
        """For "the 4 micro-batches"."""
        return f"{self.parts:,} {self.kind.name}"

    @property
    def key(self) -> str:
        """Distinguishes it from other cuts of the batch."""
        return f"{self.kind.name} {self.parts} {self.how}"


def cuts(context: Context) -> tuple[Cut, ...]:
    """The declared cuts, else even ones: sequences into micro-batches or ranks, and timesteps into chunks."""
    options, sequences = context.options, context.sequences
    steps, ranks = options.accumulation_steps, options.world_size
    found: list[Cut] = []
    if options.groups is not None:
        found += _of_rows(context, MICRO_BATCHES, [Assignment(options.parts(sequences), "as given")])
    for kind, count in ((MICRO_BATCHES, steps), (RANKS, ranks)):
        if count is not None and count <= sequences:
            found += _of_rows(context, kind, _assignments(sequences, count))
    if steps and ranks and 1 < steps * ranks <= sequences and steps > 1 < ranks:
        found += _of_rows(context, MICRO_BATCHES_OF_RANKS, _assignments(sequences, steps * ranks))
    if steps is None and ranks is None and options.groups is None:
        for count in range(2, sequences):
            if sequences % count == 0:
                found += _of_rows(context, MICRO_BATCHES, _assignments(sequences, count), is_given=False)
    return (*found, *_of_time(context))


def _assignments(sequences: int, parts: int) -> Iterator[Assignment]:
    rows = np.arange(sequences)
    first = np.repeat(np.arange(parts), [len(part) for part in np.array_split(rows, parts)])
    yield Assignment(first, "in order")
    if sequences % parts:
        yield Assignment(parts - 1 - first[::-1], "in order, the larger ones last", is_usual=False)
        size = -(-sequences // parts)
        if rows[-1] // size == parts - 1 and not np.array_equal(rows // size, first):
            yield Assignment(rows // size, "in order, the remainder last", is_usual=False)
    if 1 < parts < sequences:
        yield Assignment(rows % parts, "sequences dealt out in turn", is_usual=False)


def _of_rows(context: Context, kind: Kind, each: Iterable[Assignment], *, is_given: bool = True) -> Iterator[Cut]:
    for parts, how, is_usual in each:
        groups = np.broadcast_to(parts[:, None], context.weights.shape)
        yield Cut(kind, groups, int(parts.max(initial=-1)) + 1, how, is_usual, is_given)


def _of_time(context: Context) -> Iterator[Cut]:
    given = context.options.world_size
    for count in (given,) if given is not None else CHUNK_COUNTS:
        if 1 < count <= context.timesteps:
            pieces = [len(part) for part in np.array_split(np.arange(context.timesteps), count)]
            groups = np.broadcast_to(np.repeat(np.arange(count), pieces), context.weights.shape)
            yield Cut(CHUNKS, groups, count, "in order", is_usual=True, is_given=given is not None)


def splits(context: Context) -> tuple[CandidateReduction, ...]:
    """What a loop may print that divides each part by itself, or that forgets to divide by their number."""
    return (*(reduction for cut in cuts(context) for reduction in _of_cut(cut)), *_factors(context))


def _of_cut(cut: Cut) -> Iterator[CandidateReduction]:
    cost = (3 if cut.is_usual else 5) + (0 if cut.is_given else 8)
    common: dict[str, Any] = {
        "is_sure": cut.is_given,
        "guessed": "" if cut.is_given else cut.kind.option,
        "key": cut.key,
    }
    of_sequences = not cut.kind.is_of_time
    if cut.kind.code == "RED01":
        aliases: tuple[str, ...] = ("C18", "C21", "RED12", "RED01")
    else:
        aliases = ("RED12", "C21") if of_sequences and cut.is_even else ()
    yield CandidateReduction(
        code=cut.kind.code,
        title=f"Mean of the means of {cut.name}",
        clause=f"averages the means of {cut.name} ({cut.how})",
        formula=rf"\frac{{1}}{{{cut.parts}}}\sum_g {MEAN}",
        cost=cost,
        aliases=aliases,
        coefficients=_group_means(cut.groups, cut.parts, 1 / max(cut.parts, 1)),
        **common,
    )
    yield CandidateReduction(
        code="RED02" if of_sequences else "RED03",
        title=f"Sum of the means of {cut.name}",
        clause=f"adds up the means of {cut.name} ({cut.how}) and does not divide by {cut.parts:,}",
        formula=rf"\sum_g {MEAN}",
        cost=cost + 1,
        coefficients=_group_means(cut.groups, cut.parts, 1.0),
        **{**common, "key": common["key"] + " sum"},
    )
    if of_sequences:
        yield from _weighted_and_last(cut, cost, common)


def _weighted_and_last(cut: Cut, cost: int, common: dict[str, Any]) -> Iterator[CandidateReduction]:
    if not cut.groups.size:
        return
    if not cut.is_even:
        yield CandidateReduction(
            code="RED12",
            title=f"Means of {cut.name}, by their size",
            clause=f"averages the means of {cut.name} ({cut.how}), each weighted by its number of sequences",
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
    """The coefficients of Σ_g factor_g · S_g / N_g."""

    def coefficients(weights: Array) -> Array:
        own = np.bincount(groups.ravel(), weights.ravel(), parts)
        each = quotient(np.broadcast_to(factor, own.shape), own)
        return weights * each[groups] if weights.size else weights

    return coefficients


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
                coefficients=_times_mean(k),
            )


def _times_mean(k: int) -> Callable[[Array], Array]:
    return lambda weights: k * weights / (weights.sum() or 1.0)
