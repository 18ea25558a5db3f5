"""The answer: one sentence on the likeliest formula, and one on who prints it."""

from collections.abc import Sequence

from lossviz.conventions import CONVENTIONS
from lossviz.identification._match import Match

__all__ = ["answer", "answer_sentences"]

NOTHING = "No formula that lossviz knows gives {} on this batch."
TO_CHECK = (
    "Check that the number is for this batch alone and not a running mean, that dropout was off, that nothing was "
    "added to the loss, and that it was printed before the optimiser step."
)
MOST = 3
"""The largest number of libraries to name."""


def answer(matches: Sequence[Match], reported: str | None = None) -> str:
    """The sentences of `answer_sentences` as one text.

    >>> answer((), "1.2312")[:66]
    'No formula that lossviz knows gives 1.2312 on this batch. Check th'
    """
    return " ".join(answer_sentences(matches, reported))


def answer_sentences(matches: Sequence[Match], reported: str | None = None) -> tuple[str, ...]:
    """What the likeliest match says, then who prints it, if anyone does; if there is no match, what to check.

    Args:
        matches: the result of `identify`.
        reported: the number as it was printed, with all its digits.

    >>> answer_sentences((), "1.2312")[0]
    'No formula that lossviz knows gives 1.2312 on this batch.'
    """
    if not matches:
        return NOTHING.format(reported or "this number"), TO_CHECK
    first = matches[0]
    number = reported if reported and "," not in reported else f"{first.value - first.difference:.10g}"
    doubt = "perhaps by chance" if first.accidental else "possibly" if first.possible else ""
    if doubt:
        return (f"{number}, {doubt}: your loop {first.clause}.",)
    what = f"{number}: {_lower(first.explanation)}"
    if first.divided_by:
        what = f"{number} is the sum of the losses divided by {first.divided_by}."
    return what, *_users(first)


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _users(match: Match) -> tuple[str, ...]:
    """A sentence with the first few libraries that print any of the conventions merged into the match, if any does."""
    codes = [match.code, *match.aliases] if match.kind != "bug" else []
    named = dict.fromkeys(
        user.library
        for code in codes
        for convention in CONVENTIONS
        if convention.code == code
        for user in convention.users
        if user.library != "lossviz"
    )
    names = list(named)
    if not names:
        return ()
    more = " and others" if len(names) > MOST else ""
    shown = names[:MOST]
    listed = ", ".join(shown) if more or len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return (f"{listed}{more} {'print' if len(names) > 1 else 'prints'} this.",)
