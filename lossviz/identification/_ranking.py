"""The hits in order, the same number told once."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from lossviz.identification._disambiguation import are_one, is_same
from lossviz.identification._hypothesis import COMBINED, KNOWN, Hypothesis

__all__ = ["Answer", "merged"]


@dataclass(eq=False)
class Answer:
    """A formula and the others that give exactly its number on this batch."""

    head: Hypothesis
    others: list[Hypothesis] = field(default_factory=list)

    @property
    def aliases(self) -> tuple[str, ...]:
        """The codes of the others, each once, conventions first."""
        conventions = [other.code for other in self.others if other.convention is not None]
        bugs = [code for other in self.others for code in (other.code, *other.aliases)]
        own = (self.head.code, *self.head.codes)
        return tuple(dict.fromkeys(code for code in (*conventions, *self.head.aliases, *bugs) if code not in own))


def merged(hits: Iterable[Hypothesis]) -> list[Answer]:
    """One answer for each formula, in order.

    A convention of the same number joins the one before it, and so does a mistake that changes nothing on this batch.
    Mistakes of the same number stay apart, since each has a fix of its own. A combination says nothing if something
    simpler gives its number, or if it is an answer with one more step that changes no printed digit.
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
    """Whether both are the same mistakes, and differ in what changes nothing on this batch."""
    return one.kind == other.kind == "bug" and one.bugs == other.bugs


def _goes_without(combination: Hypothesis, simpler: Hypothesis) -> bool:
    """Whether the simpler one is the combination without one of its steps."""
    return simpler.tier < COMBINED and simpler.parts < combination.parts
