"""From what was typed into a table to steps that can be undone."""

from collections.abc import Sequence

from lossviz.edits import Edit
from lossviz.errors import LossvizError
from lossviz.ui.state import State

__all__ = ["make_edits"]


def make_edits(state: State, edits: Sequence[Edit]) -> None:
    """Make one step of edits on the batch on screen; what can't be made is said in one sentence."""
    if state.source is None or not edits:
        return
    try:
        state.source.make(*edits)
        state.refusal = ""
    except LossvizError as error:
        state.refusal = str(error)
    state.editors += 1
