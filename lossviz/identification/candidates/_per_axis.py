"""The divisors of loops that print one number per sequence or per timestep."""

from collections.abc import Callable, Iterator

import numpy as np

from lossviz.identification._components import CandidateReduction
from lossviz.identification._context import Context
from lossviz.identification._partition import Weighed, by_columns, by_rows
from lossviz.reductions import quotient

__all__ = ["reductions_per_axis"]

Array = np.ndarray
Divisor = Callable[[Weighed], Array]


def reductions_per_axis(context: Context, per: str) -> tuple[CandidateReduction, ...]:
    """The reductions to one number per sequence or per timestep; `per` is "sequences" or "timesteps".

    >>> from lossviz import Batch, analyze
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]], lengths=[1])
    >>> [reduction.title for reduction in reductions_per_axis(Context(analyze(batch), Options()), "sequences")][:2]
    ["Each sequence's mean", "Each sequence's sum"]
    """
    return tuple(_rows(context, per))


def _rows(context: Context, per: str) -> Iterator[CandidateReduction]:
    one = per.removesuffix("s")
    sums, over = (r"\sum_t", "t") if per == "sequences" else (r"\sum_b", "b")
    positions = context.timesteps if per == "sequences" else context.sequences
    mean = "C07" if per == "sequences" else "C09"

    numbers = context.sequences if per == "sequences" else context.timesteps
    partition = (by_rows if per == "sequences" else by_columns)(context.weights.shape, np.arange(numbers), numbers)

    def reduction(
        code: str, title: str, clause: str, below: str, divisor: Divisor, aliases: tuple[str, ...] = ()
    ) -> CandidateReduction:
        numerator = rf"{sums} w_{{bt}}\,\mathrm{{loss}}_{{bt}}"
        return CandidateReduction(
            code=code,
            title=f"Each {one}'s {title}",
            clause=clause,
            formula=rf"\frac{{{numerator}}}{{{below}}}" if below else numerator,
            is_bug=False,
            is_sure=True,
            cost=0 if code == mean else 2,
            key=f"each {title}",
            partition=partition,
            factors=lambda weighed: quotient(np.ones(numbers), divisor(weighed)),
            aliases=aliases,
        )

    yield reduction(
        mean,
        "mean",
        f"divides each {one}'s sum by the timesteps in it that count",
        rf"\sum_{over} w_{{bt}}",
        lambda w: w.own(partition),
        aliases=("sequence_loss", "C03"),
    )
    yield reduction("C01", "sum", f"prints each {one}'s sum and divides by nothing", "", lambda _: np.ones(1))
    yield reduction(
        "C05" if per == "sequences" else "C06",
        f"sum ÷ {'T' if per == 'sequences' else 'B'}",
        f"divides each {one}'s sum by all {positions:,} positions, padding included",
        "T" if per == "sequences" else "B",
        lambda _: np.full(1, float(positions)),
        aliases=("PAD02",),
    )
    yield reduction(
        "C03z",
        "sum ÷ count(w ≠ 0)",
        f"divides each {one}'s sum by its timesteps whose weight is not 0",
        rf"\mathrm{{count}}_{over}(w_{{bt}} \ne 0)",
        lambda w: w.counts(partition),
        aliases=("sequence_loss", "RED08"),
    )
    yield reduction(
        "C03",
        "part of the mean",
        f"divides each {one}'s sum by the weight of the whole batch",
        r"\sum_{b,t} w_{bt}",
        lambda w: np.full(1, w.total),
    )
