"""Build a row of the table: from a row of `REDUCTIONS`, or from its own numerator and divisor."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from lossviz.conventions._convention import Convention, Quotient, User
from lossviz.conventions._terms import Terms
from lossviz.reductions import Options, reduction_named

__all__ = ["LN2", "custom", "divided", "formula_in", "from_reduction", "users"]

LN2 = float(np.log(2.0))
Number = Callable[[Terms, Options], Any]


def users(*rows: tuple[str, str, str]) -> tuple[User, ...]:
    """Who prints it: (library, what, source) each."""
    return tuple(User(*row) for row in rows)


def divided(
    numerator: Any,
    divisor: Any,
    counts: str,
    *,
    unit: str = "nats",
    safe: bool = False,
    cap: float = np.inf,
    divides: bool = True,
) -> Quotient:
    """Numerator ÷ divisor in a unit; 0 ÷ 0 is NaN, or 0 where the source divides safely.

    Args:
        numerator: in nats.
        divisor: by what.
        counts: what the divisor counts, in words.
        unit: one of `UNITS`.
        safe: whether a divisor of 0 gives 0, as `tf.math.divide_no_nan` does; NaN stays NaN.
        cap: the largest exponent of a perplexity.
        divides: whether it is divided by anything; False for a sum.

    >>> with np.errstate(all="ignore"):
    ...     divided(0, 0, "").value, divided(0, 0, "", safe=True).value, divided(np.log(8), 3, "", unit="bits").value
    (nan, 0.0, 1.0)
    """
    above, below = np.float64(numerator) / (LN2 if unit == "bits" else 1.0), np.float64(divisor)
    number = np.float64(0) if safe and below == 0 and not np.isnan(above) else above / below
    value = np.exp(np.minimum(number, cap)) if unit == "perplexity" else number
    return Quotient(float(above), float(below), counts, float(value), divides)


def formula_in(unit: str, formula: str) -> str:
    r"""Convert a formula in nats to a unit.

    >>> formula_in("bits", "x"), formula_in("nats", "x")
    ('\\frac{1}{\\ln 2}\\,x', 'x')
    """
    wrapped = {"bits": rf"\frac{{1}}{{\ln 2}}\,{formula}", "perplexity": rf"\exp\left({formula}\right)"}
    return wrapped.get(unit, formula)


def from_reduction(
    reduction: str,
    code: str,
    name: str,
    used_by: tuple[User, ...],
    laws: Iterable[str],
    *,
    unit: str = "nats",
    safe: bool = False,
    epsilon: float = 0.0,
    cap: float = np.inf,
    mask: str | None = None,
    formula: str | None = None,
    note: str = "",
    **more: Any,
) -> Convention:
    """A convention that divides as a row of `REDUCTIONS` does: numerator, divisor and formula are that row's.

    Args:
        reduction: its name.
        code: of the convention; `name`, `used_by`, `laws`, `mask` and `note` as in `Convention`.
        name: see above.
        used_by: see above.
        laws: see above.
        unit: as in `divided`, like `safe` and `cap`.
        safe: see above.
        epsilon: what the source adds to the divisor against 0 ÷ 0.
        cap: see above.
        mask: see above.
        formula: where the row's own lacks what the source adds.
        note: see above.
        more: the other fields of `Convention`: `bugs`, `reported_by`, …
    """
    row = reduction_named(reduction)

    def evaluate(terms: Terms, options: Options) -> Quotient:
        above, below, counts, divides = terms.reduced(row, mask is None, options)
        return divided(above, below + epsilon, counts, unit=unit, safe=safe, cap=cap, divides=divides)

    shown = formula or formula_in(unit, row.formula)
    if mask is not None:
        shown = shown.replace(r"w_{bt}\,", "")  # every weight is 1
    return Convention(
        code,
        name,
        shown,
        unit,
        row.group,
        used_by,
        frozenset(laws),
        evaluate,
        row.needs,
        reduction,
        mask,
        note,
        **more,
    )


def custom(
    code: str,
    name: str,
    used_by: tuple[User, ...],
    laws: Iterable[str],
    *,
    formula: str,
    numerator: Number,
    divisor: Number,
    counts: str,
    group: str,
    unit: str = "nats",
    safe: bool = False,
    needs: tuple[str, ...] = (),
    reduction: str | None = None,
    note: str = "",
    divides: bool = True,
    **more: Any,
) -> Convention:
    """A convention with a numerator and a divisor of its own, each a function of (terms, options).

    The numerator is in nats; where the unit is perplexity it is made of perplexities already.
    `more` are the other fields of `Convention`.
    """

    def evaluate(terms: Terms, options: Options) -> Quotient:
        above, below = numerator(terms, options), divisor(terms, options)
        in_unit = "nats" if unit == "perplexity" else unit
        return divided(above, below, counts, unit=in_unit, safe=safe, divides=divides)

    obeyed = frozenset(laws)
    return Convention(code, name, formula, unit, group, used_by, obeyed, evaluate, needs, reduction, None, note, **more)
