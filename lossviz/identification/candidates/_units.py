"""Units of the printed number: nats, bits, perplexity, wrong mixes of them, and multiples of a declared k."""

from collections.abc import Callable, Iterator

import numpy as np

from lossviz.identification._components import Unit
from lossviz.identification._context import Context

__all__ = ["units"]

Array = np.ndarray
LN2 = float(np.log(2.0))
LOG = r"\left({}\right)"


def units(context: Context) -> tuple[Unit, ...]:
    """Nats, then the others.

    >>> from lossviz import Batch, analyze
    >>> from lossviz.reductions import Options
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 4)), targets=[[1, 2]])
    >>> [unit.title for unit in units(Context(analyze(batch), Options(world_size=2)))][1:3]
    ['In bits', 'As perplexity']
    """
    return (Unit(formula="{}", cost=0, is_bug=False), *_logarithms(), *_negative(), *_declared(context))


def _logarithms() -> Iterator[Unit]:
    yield Unit(
        code="C11",
        title="In bits",
        clause="divides by ln 2, so that nats become bits",
        formula=r"\frac{1}{\ln 2}\,{}",
        is_bug=False,
        cost=2,
        aliases=("RED13",),
        of=_times(1 / LN2),
        slope=_constant(1 / LN2),
    )
    yield Unit(
        code="C12",
        title="As perplexity",
        clause="prints e to the power of the loss",
        formula=r"\exp" + LOG,
        is_bug=False,
        cost=2,
        of=np.exp,
        slope=np.exp,
    )
    yield Unit(
        code="RED13",
        title="2 to the power of nats",
        clause="prints 2 to the power of a loss in nats, which would be right for bits",
        formula="2^{{}}",
        cost=4,
        key="2^nats",
        of=np.exp2,
        slope=lambda x: np.exp2(x) * LN2,
    )
    yield Unit(
        code="RED13",
        title="e to the power of bits",
        clause="prints e to the power of a loss in bits, which would be right for nats",
        formula=r"\exp\left(\tfrac{1}{\ln 2}\,{}\right)",
        cost=4,
        key="e^bits",
        of=lambda x: np.exp(x / LN2),
        slope=lambda x: np.exp(x / LN2) / LN2,
    )


def _negative() -> Iterator[Unit]:
    yield Unit(
        code="C03",
        title="As log-probability",
        clause="prints minus the loss, which is a log-probability",
        formula="-{}",
        is_bug=False,
        cost=3,
        key="minus",
        of=_times(-1.0),
        slope=_constant(-1.0),
    )


def _times(factor: float) -> Callable[[Array], Array]:
    return lambda number: number * factor


def _constant(factor: float) -> Callable[[Array], Array]:
    return lambda number: np.full_like(number, factor)


def _declared(context: Context) -> Iterator[Unit]:
    for name, of, code in (
        ("accumulation_steps", "accumulation steps", "RED02"),
        ("world_size", "ranks", "RED03"),
    ):
        k = getattr(context.options, name)
        if k is None or k == 1:
            continue
        for factor, word in ((float(k), "times"), (1 / k, "divided by")):
            yield Unit(
                code=code,
                title=f"{word.capitalize()} the {k} {of}",
                clause=f"prints the number {word} the {k} {of}",
                formula=rf"{k}\cdot{{}}" if word == "times" else rf"\frac{{1}}{{{k}}}\,{{}}",
                is_sure=True,
                cost=3,
                key=f"{word} {k} {of}",
                of=_times(factor),
                slope=_constant(factor),
            )
