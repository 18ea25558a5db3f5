"""From what was typed into a table to steps that can be undone."""

from collections.abc import Callable, Sequence

from lossviz.edits import Edit, differences
from lossviz.errors import LossvizError
from lossviz.ui.state import State, read_widget

__all__ = ["make_edits", "save_table"]


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


def save_table(state: State, key: str, column: str, edit: Callable[[int, float], Edit]) -> None:
    """Make one step of what was typed into a column of a table; `edit(row, value)` says what an entry means.

    An emptied entry is no edit: the table is drawn anew and shows what is so.
    """
    changed = read_widget(key, {}).get("edited_rows", {})
    typed = {int(row): entry[column] for row, entry in changed.items() if column in entry}
    if None in typed.values():
        state.editors += 1
    make_edits(state, [edit(row, value) for row, value in typed.items() if value is not None])
