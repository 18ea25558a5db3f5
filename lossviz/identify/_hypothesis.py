"""One formula that may have given the printed number, before it is put into words."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossviz.conventions import Convention
from lossviz.identify._steps import Loss, Mask, Step, Unit, Way

__all__ = [
    "BUG",
    "COMBINED",
    "KNOWN",
    "UNIT",
    "Combination",
    "Hypothesis",
    "arrays_of",
    "combined",
    "formula_of",
    "parts_of",
]

Array = np.ndarray
Combination = tuple[Loss, Mask, Way, Unit]

KNOWN, BUG, UNIT, COMBINED = range(4)
"""The order of answers: a known formula under the declared mask, one mistake, a unit, several things at once."""


@dataclass(frozen=True, eq=False)
class Hypothesis:
    """A formula and its value.

    Attributes:
        code: its code; `codes`: of a combination, one after the other.
        title: in a few words.
        value: on this batch.
        kind: "convention", "bug" or "unit".
        tier: KNOWN, BUG, UNIT or COMBINED; `cost`: its place within.
        sentence: what the loop does, to follow "Your loop".
        formula: LaTeX.
        arrays: → the coefficients [B, T] and the timesteps that it counts [B, T].
        is_sure: whether the arrays or the options say so too.
        aliases: the catalogue's other codes for the same formula.
        key: the same for the same formula on another batch.
        bugs: the codes of which the fix is shown.
        convention: the row of `CONVENTIONS` that it is, or None.
        parts: what is not as declared, for telling whether one formula is another with one more step.
    """

    code: str
    title: str
    value: float
    kind: str
    tier: int
    cost: float
    sentence: str
    formula: str
    arrays: Callable[[], tuple[Array, Array]]
    codes: tuple[str, ...] = ()
    is_sure: bool = False
    aliases: tuple[str, ...] = ()
    key: str = ""
    bugs: tuple[str, ...] = ()
    convention: Convention | None = None
    parts: frozenset[str] = frozenset()

    @property
    def order(self) -> tuple[int, float]:
        """By what answers are sorted."""
        return self.tier, self.cost


def combined(combination: Combination, value: float, tier: int) -> Hypothesis:
    """The hypothesis of a loss, a mask, a way and a unit of which at least one is not as declared.

    Its code is that of the first mistake, or of the first step that is not as declared.
    """
    steps = [step for step in combination if not step.is_plain]
    codes = tuple(step.code for step in steps)
    bugs = [step.code for step in steps if step.is_bug]
    return Hypothesis(
        code=(bugs or codes)[0],
        title=", ".join([steps[0].title, *(_small(step.title) for step in steps[1:])]),
        value=float(value),
        kind=_kind(steps),
        tier=tier,
        cost=float(sum(step.cost for step in steps)),
        sentence=_clauses(steps),
        formula=formula_of(combination),
        arrays=lambda: arrays_of(combination),
        codes=codes,
        is_sure=all(step.is_sure or not step.is_bug for step in steps),
        aliases=steps[0].aliases if len(steps) == 1 else (),
        key="+".join(sorted(parts_of(combination))),
        bugs=tuple(bugs),
        parts=parts_of(combination),
    )


def parts_of(combination: Combination) -> frozenset[str]:
    """A name for each step that is not as declared."""
    return frozenset(f"{step.code}:{step.key or step.title}" for step in combination if not step.is_plain)


def formula_of(combination: Combination) -> str:
    """The whole in LaTeX: the way in its unit, then what the weights and the losses are."""
    loss, mask, way, unit = combination
    parts = [unit.formula.replace("{}", way.formula), mask.formula, loss.formula]
    return r",\quad ".join(part for part in parts if part)


def arrays_of(combination: Combination) -> tuple[Array, Array]:
    """What each loss is multiplied by on its way into the number, and where that is not 0, both [B, T].

    Where the unit is a power of the number, the coefficients are those of its derivative.
    """
    loss, mask, way, unit = combination
    coefficients = way.coefficients(loss.under(mask.weights))
    counts = coefficients != 0
    with np.errstate(all="ignore"):
        number = np.float64(np.where(counts, coefficients * loss.values, 0.0).sum())
        scaled = np.nan_to_num(coefficients * unit.slope(number), posinf=0.0, neginf=0.0)
    return scaled, counts


def _kind(steps: list[Step]) -> str:
    if any(step.is_bug for step in steps if not isinstance(step, Unit)):
        return "bug"
    return "unit" if any(isinstance(step, Unit) for step in steps) else "convention"


def _clauses(steps: list[Step]) -> str:
    clauses = [step.clause for step in steps]
    return clauses[0] if len(clauses) == 1 else f"{', '.join(clauses[:-1])}, and {clauses[-1]}"


def _small(title: str) -> str:
    return title if title[1:2].isupper() or title[:1] == "Σ" else title[:1].lower() + title[1:]
