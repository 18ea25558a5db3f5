"""From what was typed into an editor of the batch to steps that can be undone."""

from collections.abc import Callable, Mapping, Sequence

from lossviz.edits import Edit, differences, entry
from lossviz.errors import LossvizError
from lossviz.ui.session.editor import Editor, is_same
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.settings_panel import DECLARED

__all__ = ["Entry", "change_steps", "draw_entries", "make_edits", "save_table", "save_typed"]

Entry = tuple[str, tuple[int, ...]]
"""A field of a batch and a place in it: ("targets", (0, 2))."""
STALE = "That entry had changed before you typed, so nothing was edited. Type it again: "


def draw_entries(state: State, name: str, entries: Sequence[Entry], shown: float | None = None) -> Editor:
    """Return the editor of some entries of the batch on screen.

    Args:
        state: whose batch is on screen.
        name: of the editor.
        entries: what it edits.
        shown: what to show for the one entry, where that is not what the batch holds.
    """
    if state.source is None:
        raise RuntimeError("there is no batch on screen")
    held = {one: entry(state.source.current, *one) for one in entries}
    return state.editors.draw(name, state.source, held, held if shown is None else dict.fromkeys(held, shown))


def save_typed(state: State, editor: Editor, typed: Mapping[Entry, float | None]) -> None:
    """Make one step of what was typed into an editor, on the entries that it was drawn for.

    Echoes make none, nor does what was typed on top of another value, nor an emptied field, which is redrawn with the
    current value.
    """
    news = {one: value for one, value in typed.items() if editor.is_typed(one, value)}
    if None in news.values():
        state.editors.renew(editor)
    edits = {one: Edit(*one, value) for one, value in news.items() if value is not None}
    if not edits:
        return
    source: Source = editor.target
    stale = [edit for one, edit in edits.items() if not _is_as_drawn(state, editor, one)]
    made = make_edits(state, source, [edit for edit in edits.values() if edit not in stale])
    if made:
        state.refusal = STALE + ", ".join(f"`{edit}`" for edit in stale) + "." if stale else ""
    if stale or not made:
        state.editors.renew(editor)
    else:
        editor.held.update({one: entry(source.current, *one) for one in edits})


def make_edits(state: State, source: Source, edits: Sequence[Edit]) -> bool:
    """Make one step of edits on a batch; one that can't be made is said in one sentence, and the answer is False."""
    try:
        news = differences(source.current, edits)
        if news:
            source.make(*news)
    except LossvizError as error:
        state.refusal = str(error)
        return False
    return True


def change_steps(state: State, source: Source, step: Callable[[Source], None]) -> None:
    """Undo, redo, reset or repair; the mask in the sidebar and the selected cell follow. A callback."""
    before, steps, undone = source.repairs, list(source.steps), list(source.undone)
    step(source)
    try:
        source.current  # noqa: B018 (a file that changed on disk is not read again)
    except LossvizError as error:
        source.steps[:], source.undone[:] = steps, undone
        state.refusal = str(error)
        return
    if state.source is not source:
        return
    after = source.repairs
    masks = [repair.mask for repair in before if repair not in after and repair.mask is not None]
    if masks:
        write_widget("mask", masks[0])
    elif any(repair.mask is not None for repair in after if repair not in before):
        write_widget("mask", DECLARED)
    rows, timesteps, _ = source.current.shape
    if state.cell is not None and (state.cell[0] >= rows or state.cell[1] >= timesteps):
        state.cell = None


def save_table(state: State, editor: Editor, column: str) -> None:
    """Make one step of what was typed into a column of a table, whose rows are the editor's entries; a callback."""
    changed = read_widget(editor.key, {}).get("edited_rows", {})
    entries = list(editor.held)
    save_typed(state, editor, {entries[int(row)]: new[column] for row, new in changed.items() if column in new})


def _is_as_drawn(state: State, editor: Editor, one: Entry) -> bool:
    source: Source = editor.target
    is_open = state.known(source.door, source.name) is source
    return is_open and is_same(entry(source.current, *one), editor.held[one])
