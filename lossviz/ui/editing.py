"""From what was typed into a table to steps that can be undone."""

from collections.abc import Sequence

from lossviz.edits import Edit, differences
from lossviz.errors import LossvizError
from lossviz.ui.state import State

__all__ = ["make_edits"]


def make_edits(state: State, edits: Sequence[Edit]) -> None:
    """Make one step of edits on the batch on screen; what can't be made is said in one sentence.

    A table sends everything that was typed into it so far, so what is already so is left out.
    """
    if state.source is None:
        return
    try:
        news = differences(state.source.current, edits)
        if news:
            state.source.make(*news)
        state.refusal = ""
    except LossvizError as error:
        state.refusal = str(error)
        state.editors += 1
