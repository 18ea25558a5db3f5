"""One formula that may have given the printed number, before it is put into words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lossviz.conventions import Convention
from lossviz.identification._components import CandidateReduction, Component, Loss, Mask, Unit

__all__ = [
    "BUG",
    "COMBINED",
    "KNOWN",
    "UNIT",
    "Combination",
    "Components",
    "Hypothesis",
    "arrays_of",
    "combined",
    "parts_of",
]

Array = np.ndarray
Combination = tuple[Loss, Mask, CandidateReduction, Unit]
Components = tuple[tuple[Loss, ...], tuple[Mask, ...], tuple[CandidateReduction, ...], tuple[Unit, ...]]

KNOWN, BUG, UNIT, COMBINED = range(4)
"""The order of the answers: a known formula under the declared mask, one mistake, a unit, a combination."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A formula and its value.

    Attributes:
        code: its code; `codes`: the codes of a combination.
        title: a few words.
        values: on this batch: one number, or as many as were printed.
        kind: "convention", "bug" or "unit".
        tier: KNOWN, BUG, UNIT or COMBINED; `cost`: its place within.
        sentence: what the loop does, to follow "Your loop".
        formula: LaTeX.
        arrays: → the coefficients [B, T] and the timesteps that it counts [B, T].
        is_sure: whether anything besides the number supports it, such as the arrays or the options.
        divided_by: where the loop only divides, its divisor: `sentence` without the verb; else "".
        guessed: the option whose value was guessed because nobody gave it, such as "smoothing"; else "".
        aliases: the catalogue's other codes for the same formula.
        bugs: the codes whose fixes are shown.
        parts: everything that differs from what was declared; the same formula has the same parts on every batch.
        convention: its row of `CONVENTIONS`, or None.
    """

    code: str
    title: str
    values: Array
    kind: str
    tier: int
    cost: float
    sentence: str
    formula: str
    arrays: Callable[[], tuple[Array, Array]]
    codes: tuple[str, ...] = ()
    is_sure: bool = False
    divided_by: str = ""
    guessed: str = ""
    aliases: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()
    parts: frozenset[str] = frozenset()
    convention: Convention | None = None

    @property
    def order(self) -> tuple[int, float]:
        """The key by which answers are sorted."""
        return self.tier, self.cost

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        """Identifies the formula across batches."""
        return ("" if self.convention is None else self.convention.code), self.parts


def combined(combination: Combination, values: Array, tier: int) -> Hypothesis:
    """The hypothesis of a loss, a mask, a reduction and a unit, at least one of which differs from what was declared.

    Its code is that of the first mistake, or else of the first component that differs.
    """
    components = [component for component in combination if not component.is_plain]
    bugs = tuple(component.code for component in components if component.is_bug)
    codes = tuple(component.code for component in components)
    return Hypothesis(
        code=(bugs or codes)[0],
        title=", ".join([components[0].title, *(_small(component.title) for component in components[1:])]),
        values=np.atleast_1d(values),
        kind=_kind(components),
        tier=tier,
        cost=float(sum(component.cost for component in components)),
        sentence=_sentence(components),
        formula=_formula(combination),
        arrays=lambda: arrays_of(combination),
        codes=codes,
        is_sure=all(component.is_sure or not component.is_bug for component in components),
        divided_by=components[0].divided_by if len(components) == 1 else "",
        guessed=next((component.guessed for component in components if component.guessed), ""),
        aliases=components[0].aliases if len(components) == 1 else (),
        bugs=bugs,
        parts=parts_of(combination),
    )


def parts_of(combination: Combination) -> frozenset[str]:
    """A name for each component that differs from what was declared."""
    return frozenset(f"{component.code} {component.key}" for component in combination if not component.is_plain)


def arrays_of(combination: Combination) -> tuple[Array, Array]:
    """The coefficient of each loss in the number, and where it is not 0, both [B, T].

    If the unit is not linear, these are the coefficients of its derivative.
    """
    loss, mask, reduction, unit = combination
    coefficients = reduction.coefficients(loss.under(mask.weights))
    counts = coefficients != 0
    with np.errstate(all="ignore"):
        scaled = coefficients
        if not unit.is_plain:
            number = np.where(counts, coefficients * loss.values, 0.0).sum(keepdims=True)
            scaled = coefficients * unit.slope(number)
    if not np.isfinite(scaled).all():
        scaled = np.nan_to_num(scaled, posinf=0.0, neginf=0.0)
    return scaled, counts


def _formula(combination: Combination) -> str:
    """The whole formula in LaTeX: the reduction in its unit, then the definitions of the weights and the losses."""
    loss, mask, reduction, unit = combination
    parts = [unit.formula.replace("{}", reduction.formula), mask.formula, loss.formula]
    return r",\quad ".join(part for part in parts if part)


def _kind(components: Sequence[Component]) -> str:
    if any(component.is_bug for component in components if not isinstance(component, Unit)):
        return "bug"
    return "unit" if any(isinstance(component, Unit) for component in components) else "convention"


def _sentence(components: Sequence[Component]) -> str:
    *first, last = [component.clause for component in components]
    if components[-1].code == "C12" and isinstance(components[0], Loss):
        last += ", which is no perplexity of the targets"
    return f"{', '.join(first)}, and {last}" if first else last


def _small(title: str) -> str:
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]
