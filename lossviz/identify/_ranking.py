"""The hits in order: the same number told once, chance named, and what would tell the answers apart."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from lossviz.identify._apart import apart
from lossviz.identify._facts import Facts
from lossviz.identify._fixes import FIXES
from lossviz.identify._hypothesis import BUG, COMBINED, KNOWN, Hypothesis
from lossviz.identify._match import Match
from lossviz.identify._printed import Printed

__all__ = ["Answer", "merged", "ranked"]

SAME = 1e-9
"""How far apart, relative to the number, two formulas may be that give the same one."""

FEW_DIGITS = 4
"""Fewer digits than this, and a combination is no finding (matching rule 1)."""

LIKELY, POSSIBLE = 0.5, 0.1
"""From how many chance hits on a hypothesis, a single one and a combination are called accidental."""


@dataclass(eq=False)
class Answer:
    """A formula and the others that give exactly its number on this batch."""

    head: Hypothesis
    others: list[Hypothesis] = field(default_factory=list)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The codes of the others, each once, conventions first."""
        codes = [*self.head.aliases, *(code for other in self.others for code in (other.code, *other.aliases))]
        named = dict.fromkeys(code for code in codes if code not in (self.head.code, *self.head.codes))
        return tuple(sorted(named, key=lambda code: code not in self._conventions))

    @property
    def _conventions(self) -> set[str]:
        return {other.code for other in self.others if other.convention is not None}


def merged(hits: Iterable[Hypothesis]) -> list[Answer]:
    """One answer for each formula, in order.

    A convention of the same number joins the one before it, and so does a mistake that changes nothing on this batch.
    Mistakes of the same number stay apart, since each has a fix of its own. A combination says nothing if something
    simpler gives its number, or if it is an answer with one more step that changes no printed digit.
    """
    answers: list[Answer] = []
    for hit in sorted(hits, key=lambda hit: hit.order):
        if hit.tier == COMBINED and any(_goes_without(hit, answer.head) for answer in answers):
            continue
        same = [answer for answer in answers if _is_same(answer.head.value, hit.value)]
        if not same:
            answers.append(Answer(hit))
        elif hit.tier < COMBINED:
            _join(answers, same, hit)
    return answers


def _join(answers: list[Answer], same: list[Answer], hit: Hypothesis) -> None:
    head = same[0]
    twin = next((answer for answer in same if _are_one(answer.head, hit)), None)
    if twin or hit.convention is not None or head.head.tier == KNOWN:
        (twin or head).others.append(hit)
        return
    for answer in same:
        answer.others.append(hit)
    answers.append(Answer(hit, [answer.head for answer in same]))


def _goes_without(combination: Hypothesis, simpler: Hypothesis) -> bool:
    """Whether the simpler one is the combination without one of its steps."""
    if simpler.tier == COMBINED or not combination.parts:
        return False
    return simpler.parts < combination.parts


def _are_one(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether they are one formula under two codes."""
    return one.code == other.code or one.code in other.aliases or other.code in one.aliases


def _is_same(one: float, other: float) -> bool:
    return bool(np.isclose(one, other, rtol=SAME, atol=0, equal_nan=True))


def ranked(answers: Sequence[Answer], printed: Printed, facts: Facts, chance: dict[int, float]) -> tuple[Match, ...]:
    """The answers in words; `chance` is the number of hits to expect by chance up to each tier."""
    return tuple(_match(answer, rank, answers, printed, facts, chance) for rank, answer in enumerate(answers, start=1))


def _match(
    answer: Answer, rank: int, answers: Sequence[Answer], printed: Printed, facts: Facts, chance: dict[int, float]
) -> Match:
    hypothesis = answer.head
    accidental = is_accidental(hypothesis, printed, chance)
    coefficients, cells = hypothesis.arrays()
    return Match(
        code=hypothesis.code,
        title=hypothesis.title,
        value=hypothesis.value,
        difference=hypothesis.value - printed.value if np.isfinite(printed.value) else 0.0,
        formula=hypothesis.formula,
        kind=hypothesis.kind,
        explanation=_explanation(hypothesis, accidental),
        fix=_fix(hypothesis),
        rank=rank,
        codes=hypothesis.codes or (hypothesis.code,),
        aliases=answer.aliases,
        apart=apart(answer.head, [other.head for other in answers if other is not answer], printed, facts),
        accidental=accidental,
        coefficients=coefficients,
        cells=cells,
    )


def is_accidental(hypothesis: Hypothesis, printed: Printed, chance: dict[int, float]) -> bool:
    """Whether so few digits agree, for so many formulas, that chance is likely (matching rule 1)."""
    if not np.isfinite(printed.value):
        return False
    if hypothesis.tier < COMBINED:
        guessed = hypothesis.tier == BUG and hypothesis.cost >= 20 and printed.digits < 5
        return guessed or chance[hypothesis.tier] >= LIKELY
    return printed.digits < FEW_DIGITS or chance[COMBINED] >= POSSIBLE


def _explanation(hypothesis: Hypothesis, accidental: bool) -> str:
    sentence = f"Your loop {hypothesis.sentence}."
    if accidental:
        return f"Also consistent with the number, perhaps by chance: your loop {hypothesis.sentence}."
    return sentence if hypothesis.is_sure or hypothesis.kind != "bug" else f"Possible: your loop {hypothesis.sentence}."


def _fix(hypothesis: Hypothesis) -> dict[str, str]:
    """The lines of each mistake, one after the other."""
    fixes = [FIXES[code] for code in dict.fromkeys(hypothesis.bugs) if code in FIXES]
    return {library: "\n".join(fix[library] for fix in fixes) for library in fixes[0]} if fixes else {}
