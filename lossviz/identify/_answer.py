"""The answer in one sentence."""

from collections.abc import Sequence

from lossviz.identify._match import Match

__all__ = ["answer"]


def answer(matches: Sequence[Match]) -> str:
    """The sentence for the top of a page."""
    return matches[0].explanation if matches else "No formula that lossviz knows gives this number on this batch."
