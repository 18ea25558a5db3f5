"""`identify(batch, reported) -> tuple[Match, ...]`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.identification._accuracy import with_accuracy
from lossviz.identification._chance import Chance
from lossviz.identification._context import Context
from lossviz.identification._hypothesis import Hypothesis
from lossviz.identification._match import Match
from lossviz.identification._messages import described
from lossviz.identification._multi_batch import over_batches
from lossviz.identification._query import Query, read_query
from lossviz.identification._ranking import merged
from lossviz.identification._reported import accuracy_or_refuse, decimals_or_refuse, relative_tolerance
from lossviz.identification._search import Search
from lossviz.reductions import Options
from lossviz.settings import Settings

__all__ = ["MOST_TIMESTEPS", "identify"]

Given = Batch | Analysis
MOST_TIMESTEPS = 1 << 23
"""The timesteps that a number is compared on: each takes 800 bytes while all formulas are tried."""


def identify(
    batch: Given | Sequence[Given],
    reported: Any,
    *,
    decimals: int | None = None,
    accuracy: Any = None,
    precision: str = "float32",
    settings: Settings | None = None,
    options: Options | None = None,
    **loop: Any,
) -> tuple[Match, ...]:
    """Find every formula whose value on a batch is the number that a training loop printed, likeliest first.

    Tries the conventions, and what known mistakes in mask, shift, reduction, unit, smoothing and split make of the
    loss, one or two at a time. A value may differ from the number by half a unit of the last printed digit, plus the
    rounding error of the loop's precision (spec/padding-bugs.md §0).

    Args:
        batch: a Batch, or an Analysis to reuse; or a list of them, with one number each, which a formula must all
            give, or with one number that was printed for all of them.
        reported: the printed number, as text ("1.2545") or as a number; or [B] or [T] of them, one per sequence or
            timestep.
        decimals: how many decimals were printed, if `reported` does not show them.
        accuracy: the accuracy that the loop printed beside the loss, from 0 to 1 or in percent.
        precision: the precision of the loop's loss: "float32", "float16" or "bfloat16".
        settings: the mask to use; by default the one that the batch declares.
        options: how the training loop is set up; by default the options of the settings.
        **loop: single options, as in `lossviz.reductions.Options`: accumulation_steps=4, world_size=2, smoothing=0.1,
            class_weights=…; where no smoothing is given, 0.05, 0.1, 0.15 and 0.2 are tried.

    Returns:
        Matches by rank; none if no formula gives the number.

    Raises:
        InputError: if `reported` is not a number, or not one per sequence, timestep or batch; or the batches have more
            than `MOST_TIMESTEPS`.
        SettingsError: if an option is unknown or out of its range.

    >>> import numpy as np
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> identify(batch, "1.0397")[0].explanation  # 3 · ln 4 ÷ 4
    'Your loop divides by all 4 positions, 1 of them padding.'
    """
    relative, shown = relative_tolerance(precision), decimals_or_refuse(decimals)
    query = read_query(batch, reported, decimals=shown, relative=relative)
    printed_accuracy = accuracy_or_refuse(accuracy)
    known = {name: value for name, value in loop.items() if value is not None}
    Options().replaced(known)  # refused before the long work
    analyses = [_analysis(given, settings) for given in query.batches]
    if (timesteps := sum(one.weights.size for one in analyses)) > MOST_TIMESTEPS:
        raise InputError(
            f"A number is compared on at most {MOST_TIMESTEPS:,} timesteps, since each takes 800 bytes; "
            f"got {timesteps:,}. Pass fewer sequences."
        )
    several = [Context(one, (options or one.settings.options).replaced(known)) for one in analyses]
    return with_accuracy(_matches(several, query), several[0], printed_accuracy)


def _analysis(given: Given, settings: Settings | None) -> Analysis:
    if isinstance(given, Batch):
        return analyze(given, settings)
    return given if settings is None else given.with_settings(settings)


def _matches(several: list[Context], query: Query) -> tuple[Match, ...]:
    if query.in_common:
        tried, printed = list(over_batches(several)), query.printed[0][0]
        hits = [hypothesis for hypothesis in tried if printed.is_hit(float(hypothesis.values[0]))]
        orders = tuple(np.array(each) for each in zip(*((one.values[0], *one.order) for one in tried), strict=True))
        return described(merged(hits), query.printed[0], several[0], [Chance(orders, query.printed[0])])  # type: ignore[arg-type]
    found = [_found(context, printed) for context, printed in zip(several, query.printed, strict=True)]
    hits, chances = found[0]
    for more, further in found[1:]:
        others = {hit.key: hit for hit in more}
        hits = [_joined(hit, others[hit.key]) for hit in hits if hit.key in others]
        chances = [*chances, *further]
    return described(merged(hits), tuple(one for row in query.printed for one in row), several[0], chances)


def _found(context: Context, printed: tuple[Any, ...]) -> tuple[list[Hypothesis], list[Chance]]:
    """The hits for one batch, and how many to expect by chance."""
    counts = {"none": 1, "sequences": context.sequences, "timesteps": context.timesteps}
    searches = [Search(context, per) for per, count in counts.items() if count == len(printed)]
    if len(printed) == 1:
        searches = searches[:1]
    hits = [hit for search in searches for hit in search.hits(printed)]
    return hits, [searches[0].chance(printed)]


def _joined(hit: Hypothesis, other: Hypothesis) -> Hypothesis:
    return replace(hit, values=np.concatenate([hit.values, other.values]))
