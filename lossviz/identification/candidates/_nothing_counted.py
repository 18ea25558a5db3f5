"""Numbers of parts in which nothing counts: 0 ÷ 0, or 0 where every label is ignored (PAD-10, PAD-11, RED-03)."""

from collections.abc import Callable, Iterator

import numpy as np

from lossviz.identification._context import Context
from lossviz.identification._hypothesis import BUG, KNOWN, Hypothesis
from lossviz.identification._partition import Partition
from lossviz.identification.candidates._cuts import Cut, cuts
from lossviz.identification.candidates._splits import MEAN

__all__ = ["bug", "nothing_counted"]

Array = np.ndarray
MOST_NAMED = 5
"""The largest number of parts that are named one by one."""


def nothing_counted(context: Context) -> Iterator[Hypothesis]:
    """All of them, evaluated."""
    yield from _nothing_trained(context)
    yield from _empty_parts(context)


def _nothing_trained(context: Context) -> Iterator[Hypothesis]:
    """PAD-11: every label is one that losses ignore, whether or not that was declared."""
    label = int(context.targets.flat[0]) if context.positions else 0
    if label < 0 and (context.targets == label).all():
        yield bug(
            "PAD11",
            "Nothing is trained",
            0.0,
            f"trains nothing, since every label is {label}; 0 is what a sum, or a mean that leaves NaN out, prints",
            rf"y_{{bt}} = {label}",
            lambda: (np.zeros(context.weights.shape), np.zeros(context.weights.shape, bool)),
            cost=-1,
            tier=KNOWN,
            is_sure=True,
        )


def _empty_parts(context: Context) -> Iterator[Hypothesis]:
    """PAD-10, RED-03: a mean of means in which nothing counts somewhere, 0 ÷ 0."""
    rows = np.flatnonzero((context.weights == 0).all(axis=1))
    if 0 < len(rows) < context.sequences:
        what = f"{context.sequences:,} sequences"
        yield _zero_by_zero(context, "PAD10", "sequence", what, tuple(rows.tolist()), context.each_sequence, KNOWN, 0)
    given = any(cut.is_given and cut.empty for cut in cuts(context))
    for cut in cuts(context):
        if 0 < len(cut.empty) < cut.parts and (cut.is_given if given else cut.is_usual):
            cost = (3 if cut.is_given else 14) + cut.kind.cost + cut.parts / 1000
            what, tier = f"{cut.name} ({cut.how})", BUG
            yield _zero_by_zero(context, cut.kind.code, cut.kind.one, what, cut.empty, cut.partition, tier, cost, cut)


def _zero_by_zero(
    context: Context,
    code: str,
    one: str,
    what: str,
    empty: tuple[int, ...],
    partition: Partition,
    tier: int,
    cost: float,
    cut: Cut | None = None,
) -> Hypothesis:
    def arrays() -> tuple[Array, Array]:
        return np.zeros(context.weights.shape), np.broadcast_to(
            np.isin(partition.labels, empty), context.weights.shape
        ).copy()

    return bug(
        code,
        f"0 ÷ 0 in {_listed(one, empty)} of {partition.parts:,}",
        np.nan,
        f"averages the means of {what}, and nothing counts in {_listed(one, empty)}: 0 ÷ 0 is NaN",
        rf"\frac{{1}}{{{partition.parts}}}\sum_g {MEAN},\quad \tfrac{{0}}{{0}} = \mathrm{{NaN}}",
        arrays,
        cost=cost,
        tier=tier,
        is_sure=cut is None or cut.is_given,
        guessed="" if cut is None or cut.is_given else cut.kind.option,
        key=f"nan {what}",
    )


def _listed(one: str, numbers: tuple[int, ...]) -> str:
    """Some parts by their numbers, such as "ranks 1 to 3"; of many, the first few."""
    if len(numbers) == 1:
        return f"{one} {numbers[0]}"
    many = f"{one}es" if one.endswith("ch") else f"{one}s"
    if numbers == tuple(range(numbers[0], numbers[-1] + 1)):
        return f"{many} {numbers[0]} to {numbers[-1]}" if len(numbers) > 2 else f"{many} {numbers[0]} and {numbers[1]}"
    shown = ", ".join(map(str, numbers[:-1] if len(numbers) <= MOST_NAMED else numbers[:MOST_NAMED]))
    return f"{many} {shown} and {numbers[-1] if len(numbers) <= MOST_NAMED else 'others'}"


def bug(
    code: str,
    title: str,
    value: float,
    sentence: str,
    formula: str,
    arrays: Callable[[], tuple[Array, Array]],
    *,
    cost: float,
    tier: int = BUG,
    is_sure: bool = False,
    guessed: str = "",
    key: str = "",
) -> Hypothesis:
    """A mistake that is no combination of a loss, a mask, a reduction and a unit."""
    return Hypothesis(
        code=code,
        title=title,
        values=np.array([value], np.float64),
        kind="bug",
        tier=tier,
        cost=cost,
        sentence=sentence,
        formula=formula,
        arrays=arrays,
        codes=(code,),
        is_sure=is_sure,
        guessed=guessed,
        bugs=(code,),
        parts=frozenset({f"{code} {key}"}),
    )
