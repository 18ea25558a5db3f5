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
"""The order of answers: a known formula under the declared mask, one mistake, a unit, several things at once."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A formula and its value.

    Attributes:
        code: its code; `codes`: of a combination, one after the other.
        title: in a few words.
        values: on this batch: one number, or as many as were printed.
        kind: "convention", "bug" or "unit".
        tier: KNOWN, BUG, UNIT or COMBINED; `cost`: its place within.
        sentence: what the loop does, to follow "Your loop".
        formula: LaTeX.
        arrays: → the coefficients [B, T] and the timesteps that it counts [B, T].
        is_sure: whether the arrays or the options say so too.
        divided_by: where the loop only divides, its divisor: `sentence` without the verb; else "".
        guessed: the option whose value was guessed because nobody gave it, such as "smoothing"; else "".
        aliases: the catalogue's other codes for the same formula.
        bugs: the codes of which the fix is shown.
        parts: what is not as declared: the same for the same formula on another batch.
        convention: the row of `CONVENTIONS` that it is, or None.
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
        """By what answers are sorted."""
        return self.tier, self.cost

    @property
    def key(self) -> tuple[str, frozenset[str]]:
        """The same for the same formula on another batch."""
        return ("" if self.convention is None else self.convention.code), self.parts


def combined(combination: Combination, values: Array, tier: int) -> Hypothesis:
    """The hypothesis of a loss, a mask, a way and a unit of which at least one is not as declared.

    Its code is that of the first mistake, or of the first step that is not as declared.
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
    """A name for each step that is not as declared."""
    return frozenset(f"{component.code} {component.key}" for component in combination if not component.is_plain)


def arrays_of(combination: Combination) -> tuple[Array, Array]:
    """What each loss is multiplied by on its way into the number, and where that is not 0, both [B, T].

    Where the unit is a power of the number, the coefficients are those of its derivative.
    """
    loss, mask, reduction, unit = combination
    coefficients = reduction.coefficients(loss.under(mask.weights))
    counts = coefficients != 0
    with np.errstate(all="ignore"):
        number = np.where(counts, coefficients * loss.values, 0.0).sum(keepdims=True)
        scaled = np.nan_to_num(coefficients * unit.slope(number), posinf=0.0, neginf=0.0)
    return scaled, counts


def _formula(combination: Combination) -> str:
    """The whole in LaTeX: the way in its unit, then what the weights and the losses are."""
    loss, mask, reduction, unit = combination
    parts = [unit.formula.replace("{}", reduction.formula), mask.formula, loss.formula]
    return r",\quad ".join(part for part in parts if part)


def _kind(components: Sequence[Component]) -> str:
    if any(component.is_bug for component in components if not isinstance(component, Unit)):
        return "bug"
    return "unit" if any(isinstance(component, Unit) for component in components) else "convention"


def _sentence(components: Sequence[Component]) -> str:
    *first, last = [component.clause for component in components]
    return f"{', '.join(first)}, and {last}" if first else last


def _small(title: str) -> str:
    return title if title[1:2].isupper() else title[:1].lower() + title[1:]
