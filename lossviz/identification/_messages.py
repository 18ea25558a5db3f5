"""Answers → matches: the explanation, the fix, whether it may be chance, and how to distinguish it from the others."""

from collections.abc import Sequence

import numpy as np

from lossviz.fixes import FIXES, fix_of
from lossviz.identification._chance import Chance, is_accidental
from lossviz.identification._context import Context
from lossviz.identification._disambiguation import how_to_distinguish
from lossviz.identification._hypothesis import KNOWN, Hypothesis
from lossviz.identification._match import Match
from lossviz.identification._ranking import Answer
from lossviz.identification._reported import Printed

__all__ = ["described"]

POSSIBLE, BY_CHANCE = "Possible: ", "Also consistent with the number, perhaps by chance: "
"""The first words of a doubtful explanation (rules 1 and 3)."""


def described(
    answers: Sequence[Answer], printed: tuple[Printed, ...], context: Context, chances: Sequence[Chance]
) -> tuple[Match, ...]:
    """The matches of the answers, in their order.

    Args:
        answers: likeliest first.
        printed: the numbers that were printed.
        context: the context of the batch, or of the first of several.
        chances: how many hits to expect by chance, for each batch.
    """
    heads = [answer.head for answer in answers]
    return tuple(
        _match(answer, rank, [head for head in heads if head is not answer.head], printed, context, chances)
        for rank, answer in enumerate(answers, start=1)
    )


def _match(
    answer: Answer,
    rank: int,
    others: list[Hypothesis],
    printed: tuple[Printed, ...],
    context: Context,
    chances: Sequence[Chance],
) -> Match:
    hypothesis = answer.head
    accidental = is_accidental(hypothesis, printed, chances)
    value, difference = _furthest(hypothesis, printed)
    doubt = _doubt(hypothesis, accidental)
    not_finite = _why_not_finite(hypothesis, context)
    clause = hypothesis.sentence + not_finite
    return Match(
        code=hypothesis.code,
        title=hypothesis.title,
        value=value,
        difference=difference,
        formula=hypothesis.formula,
        kind=hypothesis.kind,
        explanation=f"{doubt}{'your' if doubt else 'Your'} loop {clause}.",
        fix=_fix(hypothesis, context),
        rank=rank,
        codes=hypothesis.codes or (hypothesis.code,),
        aliases=answer.aliases,
        how_to_distinguish=how_to_distinguish(hypothesis, others, answer.others, context),
        accidental=accidental,
        clause=clause,
        divided_by=hypothesis.divided_by and hypothesis.divided_by + not_finite,
        possible=doubt == POSSIBLE,
        arrays=hypothesis.arrays,
    )


def _furthest(hypothesis: Hypothesis, printed: tuple[Printed, ...]) -> tuple[float, float]:
    """The value furthest from its printed number, and the difference."""
    gaps = [float(value) - one.value for value, one in zip(hypothesis.values, printed, strict=True)]
    gaps = [gap if np.isfinite(gap) else 0.0 for gap in gaps]
    at = int(np.argmax(np.abs(gaps)))
    return float(hypothesis.values[at]), gaps[at]


def _why_not_finite(hypothesis: Hypothesis, context: Context) -> str:
    """Why the number is NaN or infinite, to end the explanation; else ""."""
    if np.isfinite(hypothesis.values).all() or hypothesis.code == "NUM01":
        return ""
    if not context.counting:
        return ", and since nothing counts, 0 ÷ 0 gives NaN"
    odd = int((hypothesis.arrays()[1] & ~np.isfinite(context.loss)).sum())
    return f", and {odd:,} of the losses that it counts {'is' if odd == 1 else 'are'} not finite" if odd else ""


def _doubt(hypothesis: Hypothesis, accidental: bool) -> str:
    """The first words about a doubtful match, else "" (rules 1 and 3)."""
    if accidental and hypothesis.tier != KNOWN:
        return BY_CHANCE
    return POSSIBLE if hypothesis.kind == "bug" and not hypothesis.is_sure else ""


def _fix(hypothesis: Hypothesis, context: Context) -> dict[str, str]:
    """The fix of every mistake; for a convention, of the first bug with its formula."""
    codes = [code for code in (hypothesis.code, *hypothesis.bugs) if code in FIXES]
    return fix_of(codes if hypothesis.convention is None else codes[:1], context.analysis)
