"""From what was typed into a table to steps that can be undone."""

from collections.abc import Callable, Sequence

from lossviz.edits import Edit, differences
from lossviz.errors import LossvizError
from lossviz.ui.choices import DECLARED
from lossviz.ui.source import Source
from lossviz.ui.state import State, read_widget, write_widget

__all__ = ["change_steps", "make_edits", "save_table"]


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


def change_steps(state: State, step: Callable[[Source], None]) -> None:
    """Undo, redo, reset or repair; the mask in the sidebar and the selected cell follow. A callback."""
    if state.source is None:
        return
    before = state.source.repairs
    state.change(step)
    after = state.source.repairs
    masks = [repair.mask for repair in before if repair not in after and repair.mask is not None]
    if masks:
        write_widget("mask", masks[0])
    elif any(repair.mask is not None for repair in after if repair not in before):
        write_widget("mask", DECLARED)
    rows, timesteps, _ = state.source.current.shape
    if state.cell is not None and (state.cell[0] >= rows or state.cell[1] >= timesteps):
        state.cell = None


def save_table(state: State, key: str, column: str, edit: Callable[[int, float], Edit]) -> None:
    """Make one step of what was typed into a column of a table; `edit(row, value)` says what an entry means.

    An emptied entry is no edit: the table is drawn anew and shows what is so.
    """
    changed = read_widget(key, {}).get("edited_rows", {})
    typed = {int(row): entry[column] for row, entry in changed.items() if column in entry}
    if None in typed.values():
        state.editors += 1
    make_edits(state, [edit(row, value) for row, value in typed.items() if value is not None])
