"""Rank the hits, and merge those that are the same number."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lossviz.identification._disambiguation import are_one, is_same
from lossviz.identification._hypothesis import COMBINED, KNOWN, Hypothesis

__all__ = ["Answer", "merged"]


@dataclass(eq=False)
class Answer:
    """A formula and the others with exactly the same value on this batch."""

    head: Hypothesis
    others: list[Hypothesis] = field(default_factory=list)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The codes of the others without repetition, conventions first."""
        conventions = [other.code for other in self.others if other.convention is not None]
        bugs = [code for other in self.others for code in (other.code, *other.aliases)]
        own = (self.head.code, *self.head.codes)
        return tuple(dict.fromkeys(code for code in (*conventions, *self.head.aliases, *bugs) if code not in own))


def merged(hits: Iterable[Hypothesis]) -> list[Answer]:
    """One answer per formula, in order.

    A convention with the same value is merged into the answer before it, and so is a mistake that changes nothing on
    this batch. Other mistakes with the same value stay separate, because each has its own fix. A combination is dropped
    if something simpler has its value, or if it is an answer plus a component that changes no printed digit.
    """
    answers: list[Answer] = []
    for hit in sorted(hits, key=lambda hit: hit.order):
        same = [answer for answer in answers if is_same(answer.head, hit)]
        if hit.tier == COMBINED and (
            same or any(_goes_without(hit, one) for answer in answers for one in (answer.head, *answer.others))
        ):
            continue
        twin = next((answer for answer in same if are_one(answer.head, hit) or _is_one_bug(answer.head, hit)), None)
        joined = twin or next((a for a in same if hit.convention is not None or a.head.tier == KNOWN), None)
        if joined is not None:
            joined.others.append(hit)
            continue
        for answer in same:
            answer.others.append(hit)
        answers.append(Answer(hit, [answer.head for answer in same]))
    return answers


def _is_one_bug(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether both consist of the same mistakes, and differ only in what changes nothing on this batch."""
    return one.kind == other.kind == "bug" and one.bugs == other.bugs


def _goes_without(combination: Hypothesis, simpler: Hypothesis) -> bool:
    """Whether the simpler one is the combination minus one of its components."""
    return simpler.tier < COMBINED and simpler.parts < combination.parts
