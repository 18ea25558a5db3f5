"""The one place that touches Streamlit's session state: the batches, the selection, what was computed."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.edits import Edit
from lossviz.lessons import STEPS, Progress
from lossviz.runs import Run
from lossviz.settings import Settings
from lossviz.ui.session.default_reduction import Opening
from lossviz.ui.session.editor import Editor, Editors
from lossviz.ui.session.repair import Repair
from lossviz.ui.session.source import Source
from lossviz.ui.session.staging import Staging

__all__ = ["Linked", "State", "default_widget", "get_state", "read_widget", "write_widget"]

Cell = tuple[int, int]


@dataclass(frozen=True)
class Linked:
    """What an address says about one batch: the selected cell, the edits and repairs, what its loop printed."""

    source: tuple[str, str]
    cell: Cell | None
    edits: tuple[Edit | Repair, ...]
    printed: str = ""


@dataclass(eq=False)
class State:
    """What this browser tab shows.

    Attributes:
        sources: every batch that was opened, by (door, name); `source`: the one on screen.
        cell: the selected timestep (sequence, timestep), or None.
        jump: the timestep that was selected in the overview, until the detail window has followed.
        scale: the stretched colour scale: its quantity and ends, or None.
        compared: the timestep that is selected on the page Compare, or None.
        declared: the mask that the sidebar says the batch declares.
        editors: the widgets that edit something, with what they were drawn for.
        complaint: why a file could not be read, or "".
        refusal: why an edit could not be made, or "".
        stopped: the batch whose computation was stopped.
        typed: what was typed last, so that it is read once.
        restored: whether the address was read; `fresh`: in the run that does so.
        linkable: the names of the choices that the address says.
        linked: the address's cell and edits, until their batch is on the screen.
        unmapped: an opened file whose arrays have other names, until the dialog is answered.
        uploaded: which upload was read last, so that it is read once; `opened` counts the files that could be read.
        runs: the recorded runs that were opened, by name; `wanted`: the one that the sidebar is to show next, or "";
            `pending`: the cell to select in the step that comes on the screen then.
        opening: with which mask and reduction the batch on screen opened.
        started: whether the file that the app was started with was read.
        learning: what was done in the lessons; `staging`: what is on the stage of the page Train.
        page: the page that is on the screen; `entered`: whether it was another one before.
    """

    sources: dict[tuple[str, str], Source] = field(default_factory=dict)
    source: Source | None = None
    cell: Cell | None = None
    jump: Cell | None = None
    compared: Cell | None = None
    scale: tuple[str, float, float] | None = None
    declared: str = "none"
    editors: Editors = field(default_factory=Editors)
    complaint: str = ""
    refusal: str = ""
    stopped: Batch | None = None
    unmapped: Any = None
    uploaded: tuple[str, ...] = ()
    opened: int = 0
    started: bool = False
    typed: dict[str, Any] | None = None
    restored: bool = False
    linkable: tuple[str, ...] = ()
    fresh: bool = True
    linked: Linked | None = None
    runs: dict[str, Run] = field(default_factory=dict)
    pending: tuple[str, Cell] | None = None
    wanted: str = ""
    opening: Opening = field(default_factory=Opening)
    page: str = ""
    entered: bool = False
    learning: Progress = field(default_factory=lambda: Progress(tuple(STEPS)))
    staging: Staging = field(default_factory=Staging)
    _analysis: Analysis | None = None
    _analysis_of: Source | None = None

    def show(self, source: Source) -> None:
        """Put a batch on the screen, with the edits that it had; the selection stays only if the batch stays."""
        self.sources[source.door, source.name] = source
        if self.source is source:
            return
        self.source, self.cell, self.jump = source, None, None
        if self.pending is not None and self.pending[0] == source.name:
            self.cell = self.pending[1]
        self.pending = None
        linked = self.linked
        if linked is None or linked.source != (source.door, source.name):
            return
        self.linked = None
        if linked.printed:
            source.tell(linked.printed)
        source.make_possible(linked.edits)
        cell = linked.cell
        if cell is not None and cell[0] < source.current.shape[0] and cell[1] < source.current.shape[1]:
            self.cell = cell

    def replace(self, source: Source) -> None:
        """Put a newer version of a batch on the screen: its edits and the selection stay where they still fit.

        A repair belongs to the old version: it is dropped, and so are the edits made after it.
        """
        before, cell = self.known(source.door, source.name), self.cell
        if before is not None and not before.repairs:
            source.make_possible(before.edits)
        stays = self.source is before
        self.show(source)
        if stays and before is not None and cell is not None:
            self.cell = cell

    def known(self, door: str, name: str) -> Source | None:
        """A batch opened before, with its edits."""
        return self.sources.get((door, name))

    def choice(self, name: str, default: Any = None, *, words: Any = None) -> Editor:
        """The editor of a choice that other widgets may change too; it is kept under its name.

        Args:
            name: where the choice is kept; `read_widget(name)` reads it.
            default: the choice before anybody makes one.
            words: what the words of its options depend on, since the browser answers with those words.
        """
        default_widget(name, default)
        return self.editors.draw(name, words, {name: read_widget(name)})

    def take_choice(self, editor: Editor) -> None:
        """Keep what was chosen in an editor that `choice` drew; a callback."""
        [name], value = editor.held, read_widget(editor.key)
        if editor.is_typed(name, value):
            editor.held[name] = value
            write_widget(name, value)

    @property
    def last_analysis(self) -> Analysis | None:
        """What was computed last of the batch on screen, edited or not."""
        return self._analysis if self._analysis_of is self.source else None

    def take_reconnected(self, editor: Editor) -> None:
        """On a tab's first run, keep what the user chose while the browser was disconnected: no callback reports it."""
        if self.fresh:
            self.take_choice(editor)

    def analysis(self, compute: Callable[[Batch, Settings], Analysis], settings: Settings) -> Analysis:
        """The analysis of the batch on screen, computed again only where something changed."""
        if self.source is None:
            raise RuntimeError("there is no batch on screen")
        batch, last = self.source.current, self._analysis
        if last is None or not batch.shares_losses(last.batch):
            self._analysis = compute(batch, settings)
        elif last.batch is not batch or last.settings != settings:
            self._analysis = last.with_settings(settings, batch=batch)
        if self._analysis is None:
            raise RuntimeError("the computation gave nothing")
        self._analysis_of = self.source
        return self._analysis


def get_state() -> State:
    """This tab's state, made on first use."""
    if "lossviz" not in st.session_state:
        st.session_state["lossviz"] = State()
    state: State = st.session_state["lossviz"]
    return state


def read_widget(key: str, default: Any = None) -> Any:
    """A widget's value by its key."""
    return st.session_state.get(key, default)


def write_widget(key: str, value: Any) -> None:
    """Give a widget a value before it is drawn."""
    st.session_state[key] = value


def default_widget(key: str, value: Any) -> None:
    """Give a widget its first value; one that it has already, from the user or from a link, stays."""
    st.session_state.setdefault(key, value)
