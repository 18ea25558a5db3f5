"""Editors under late, repeated and reordered answers of a browser: only what is typed edits, and nothing typed is lost.

The model: a browser that keeps values by key, as Streamlit's does. It sends all of them with every message, keeps those
of widgets that are gone for a while, and messages wait in order before the server takes them.
"""

import ast
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lossviz import Batch
from lossviz.edits import Edit, entry
from lossviz.ui.session.editor import Editor, Editors
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State
from lossviz.ui.shared.edit_history import STALE, Entry, change_steps, draw_entries, save_typed
from tests.ui.widget_keys import calls, key_of, pages

ROWS, TIMESTEPS, CLASSES = 2, 3, 4
CELLS = [(row, timestep) for row in range(ROWS) for timestep in range(TIMESTEPS)]
VALUES = st.integers(0, CLASSES - 1)


def source(name: str) -> Source:
    logits, targets = np.zeros((ROWS, TIMESTEPS, CLASSES), np.float32), [[1, 2, 3], [3, 0, 0]]
    return Source("sample", name, Batch.from_arrays(logits=logits, targets=targets, lengths=[3, 1]))


class Browser(RuleBasedStateMachine):
    """A browser, the messages on their way, and a server that draws the editors of the selected cell."""

    @initialize()
    def open(self) -> None:
        self.state = State()
        self.sources = {name: source(name) for name in ("one", "two")}
        self.state.show(self.sources["one"])
        self.cell: tuple[int, int] | None = None
        self.editors: dict[str, Editor] = {}  # by key, all that the server ever drew: it keeps their callbacks
        self.screen: dict[str, dict[Entry, Any]] = {}  # by key, what the browser shows
        self.alive: dict[str, dict[Entry, Any]] = {}  # by key, what the server remembers of the last message
        self.heard: dict[str, dict[Entry, Any]] = {}  # by key, what the browser is known to show
        self.under: dict[str, dict[Entry, Any]] = {}  # by key, the entries that the user sees under it
        self.messages: deque[dict[str, dict[Entry, Any]]] = deque()
        self.expected = {name: self.sources[name].current for name in self.sources}

    def draw(self) -> None:
        """Run the page: the editors of the selected cell are drawn, and the others forgotten."""
        drawn = []
        if self.cell is not None:
            logits = [("logits", (*self.cell, one)) for one in range(CLASSES)]
            for name, entries in (("target", [("targets", self.cell)]), ("weight", [("weights", self.cell)])):
                drawn.append(draw_entries(self.state, name, entries))
            drawn.append(draw_entries(self.state, "logits", logits))
        for editor in drawn:
            self.editors[editor.key] = editor
            self.screen.setdefault(editor.key, dict(editor.shown))
            self.heard.setdefault(editor.key, dict(editor.shown))
            batch = editor.target.current
            self.under.setdefault(editor.key, {one: entry(batch, *one) for one in editor.shown})
        self.alive = {editor.key: dict(self.screen[editor.key]) for editor in drawn}

    @rule(cell=st.sampled_from([*CELLS, None]))
    def select(self, cell: tuple[int, int] | None) -> None:
        self.cell = cell
        self.draw()

    @rule(name=st.sampled_from(["one", "two"]))
    def change_batch(self, name: str) -> None:
        self.state.show(self.sources[name])
        self.cell = None
        self.draw()

    @rule()
    def run_again(self) -> None:
        self.draw()

    @rule(data=st.data(), value=VALUES)
    def type(self, data: st.DataObject, value: int) -> None:
        """Type into any widget that the browser still has, drawn now or long ago, and send."""
        if not self.screen:
            return
        key = data.draw(st.sampled_from(sorted(self.screen)))
        place = data.draw(st.sampled_from(sorted(self.screen[key])))
        if self.screen[key][place] != value:
            self.screen[key][place] = value
            self.messages.append({one: dict(values) for one, values in self.screen.items()})

    @rule()
    def send_again(self) -> None:
        """Another event of the browser: every value is sent once more."""
        self.messages.append({key: dict(values) for key, values in self.screen.items()})

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """The browser learns at last that a widget is gone."""
        gone = sorted(self.screen.keys() - self.alive.keys())
        if gone:
            del self.screen[data.draw(st.sampled_from(gone))]

    @rule()
    def undo(self) -> None:
        shown = self.state.source
        assert shown is not None
        change_steps(self.state, shown, Source.undo)
        self.expected[shown.name] = shown.current
        self.draw()

    @rule(together=st.integers(1, 3))
    def receive(self, together: int) -> None:
        """Take messages; of several that waited the server takes the last one, which has all that was typed."""
        message: dict[str, dict[Entry, Any]] | None = None
        for _ in range(min(together, len(self.messages))):
            newest = self.messages.popleft()
            message = {**(message or {}), **newest}
        for key, values in (message or {}).items():
            if self.alive.get(key) != values:
                self.take(self.editors[key], values)
        self.draw()

    def take(self, editor: Editor, values: dict[Entry, Any]) -> None:
        """Streamlit calls back; the model says by itself what must come of it."""
        owner: Source = editor.target
        heard, under, batch = self.heard[editor.key], self.under[editor.key], owner.current
        news = {one: value for one, value in values.items() if heard[one] != value}
        fresh = {one: value for one, value in news.items() if under[one] == entry(batch, *one)}
        heard.update(values)
        self.state.refusal = ""
        save_typed(self.state, editor, values)
        after = owner.current
        assert {one: entry(after, *one) for one in fresh} == fresh  # nothing typed is lost
        assert self.state.refusal.startswith(STALE) == (fresh != news)  # nor without a word, and echoes need none
        under.update(fresh)
        for one in [(field, index) for field in ("targets", "weights") for index in CELLS]:
            if one not in fresh:
                assert entry(after, *one) == entry(batch, *one)
        changed = np.argwhere(after.logits != batch.logits).tolist()
        assert {("logits", (*place,)) for place in changed} <= fresh.keys()
        self.expected[owner.name] = after

    @invariant()
    def batches_change_only_by_typing_and_undo(self) -> None:
        if hasattr(self, "expected"):
            for name, batch in self.expected.items():
                assert self.sources[name].current is batch

    @invariant()
    def what_is_shown_now_is_what_is_so(self) -> None:
        """Whatever arrived: a field that is drawn and has nothing on its way shows the entry itself."""
        if not hasattr(self, "state") or self.messages:
            return
        for key in self.alive:
            editor = self.editors[key]
            if self.screen[key] == editor.shown and self.state.editors.drawn.get(key.partition(":")[0]) is editor:
                assert {one: entry(editor.target.current, *one) for one in editor.shown} == editor.shown


Browser.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)


class TestBrowser(Browser.TestCase):  # type: ignore[misc, valid-type]
    """Collected by pytest under this name."""


class Chooser(RuleBasedStateMachine):
    """The same browser before a choice that links, buttons and other batches make too: the last one made wins.

    Law: the choice changes only by what is chosen in a field, drawn now or before, and by the app itself.
    """

    NAME, OPTIONS = "unit", ("nats", "bits", "perplexity", "bytes")

    @initialize()
    def open(self) -> None:
        self.kept: dict[str, Any] = {}  # the session state
        self.state, self.words = State(), self.OPTIONS
        self.fields: dict[str, Editor] = {}  # by key, all that were ever drawn
        self.screen: dict[str, Any] = {}  # by key, what the browser shows
        self.heard: dict[str, Any] = {}  # by key, what the browser is known to show
        self.messages: deque[dict[str, Any]] = deque()
        self.expected: Any = self.OPTIONS[0]
        self.draw()

    def draw(self) -> None:
        with session(self.kept):
            editor = self.state.choice(self.NAME, self.OPTIONS[0], words=self.words)
        self.fields[editor.key] = editor
        self.heard.setdefault(editor.key, editor.shown[self.NAME])
        self.screen.setdefault(editor.key, editor.shown[self.NAME])
        assert self.screen[editor.key] == self.kept[self.NAME] or self.messages

    @rule(value=st.sampled_from(OPTIONS))
    def press(self, value: str) -> None:
        """A button, a link of a lesson or another batch makes the choice."""
        self.kept[self.NAME] = self.expected = value
        self.draw()

    @rule(words=st.sampled_from([OPTIONS, OPTIONS[:2]]))
    def change_words(self, words: tuple[str, ...]) -> None:
        """The options of another batch: a choice that it lacks becomes its first."""
        self.words = words
        if self.kept[self.NAME] not in words:
            self.kept[self.NAME] = self.expected = words[0]
        self.draw()

    @rule(data=st.data(), value=st.sampled_from(OPTIONS))
    def choose(self, data: st.DataObject, value: str) -> None:
        """Choose in any field that the browser still has."""
        self.screen[data.draw(st.sampled_from(sorted(self.screen)))] = value
        self.messages.append(dict(self.screen))

    @rule()
    def send_again(self) -> None:
        self.messages.append(dict(self.screen))

    @rule(data=st.data())
    def drop(self, data: st.DataObject) -> None:
        """The browser learns at last that a field is gone."""
        gone = sorted(self.screen.keys() - {self.state.editors.drawn[self.NAME].key})
        if gone:
            del self.screen[data.draw(st.sampled_from(gone))]

    @rule()
    def receive(self) -> None:
        """Take a message; Streamlit calls back for any field whose value it does not know, known by then or not."""
        for key, value in (self.messages.popleft() if self.messages else {}).items():
            if value != self.heard[key]:
                self.expected = self.heard[key] = value
            self.kept[key] = value
            with session(self.kept):
                self.state.take_choice(self.fields[key])
        self.draw()

    @invariant()
    def last_choice_wins(self) -> None:
        if hasattr(self, "expected"):
            assert self.kept[self.NAME] == self.expected


Chooser.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


class TestChooser(Chooser.TestCase):  # type: ignore[misc, valid-type]
    """Collected by pytest under this name."""


@contextmanager
def session(kept: dict[str, Any]) -> Iterator[None]:
    """Keep the session state of Streamlit in a dictionary."""
    place = "lossviz.ui.session.state."
    with (
        patch(f"{place}read_widget", lambda key, default=None: kept.get(key, default)),
        patch(f"{place}write_widget", kept.__setitem__),
        patch(f"{place}default_widget", kept.setdefault),
    ):
        yield


def test_field_that_the_app_writes_too_is_an_editor() -> None:
    """A field under a key of its own is safe while nobody but the browser sets it: nothing told can come back late."""
    fields, written = set(), set()
    for path, tree in pages().items():
        for name, call in calls(tree):
            named = [word.value for word in call.keywords if word.arg == "key"]
            if named and isinstance(call.func, ast.Attribute) and name not in NO_FIELDS:
                fields.add(key_of(named[0], path).text)
            if path.stem != "link" and name == "write_widget":
                written.add(key_of(call.args[0], path).text)
    assert {"typed_text", "libraries", "lock"} <= fields
    assert {"mask", "unit", "split_parts", "flag_"} <= written
    assert fields & written <= {""}


NO_FIELDS = ("container", "expander", "button", "plot")  # a panel that opens and closes edits nothing


TARGET: Entry = ("targets", (0, 2))


@pytest.fixture
def state() -> State:
    made = State()
    made.show(source("one"))
    return made


def edits(state: State) -> list[str]:
    assert state.source is not None
    return [str(edit) for edit in state.source.edits]


def test_echo_of_another_cell_edits_nothing(state: State) -> None:
    """The bug: the answer for (0, 2) arrives when (1, 0) is selected."""
    editor = draw_entries(state, "target", [TARGET])
    draw_entries(state, "target", [("targets", (1, 0))])
    save_typed(state, editor, {TARGET: 3.0})
    assert (edits(state), state.refusal) == ([], "")


def test_typed_value_is_an_edit_of_the_entry_it_was_typed_for(state: State) -> None:
    editor = draw_entries(state, "target", [TARGET])
    draw_entries(state, "target", [("targets", (1, 0))])
    save_typed(state, editor, {TARGET: 1.0})
    assert edits(state) == ["targets[0, 2] = 1"]


def test_typed_value_reaches_the_batch_that_is_no_longer_on_screen(state: State) -> None:
    editor, one = draw_entries(state, "target", [TARGET]), state.source
    state.show(source("two"))
    save_typed(state, editor, {TARGET: 1.0})
    assert edits(state) == []
    assert one is not None
    assert [str(edit) for edit in one.edits] == ["targets[0, 2] = 1"]


def test_value_typed_on_top_of_another_one_is_said_and_not_made(state: State) -> None:
    editor = draw_entries(state, "target", [TARGET])
    assert state.source is not None
    state.source.make(Edit(*TARGET, 0))
    save_typed(state, editor, {TARGET: 1.0})
    assert edits(state) == ["targets[0, 2] = 0"]
    assert state.refusal == f"{STALE}`targets[0, 2] = 1`."


def test_editor_keeps_its_key_through_its_own_edits_only(state: State) -> None:
    """So that the field keeps the focus; after an undo it is another field."""
    editor = draw_entries(state, "target", [TARGET])
    save_typed(state, editor, {TARGET: 1.0})
    assert draw_entries(state, "target", [TARGET]) is editor
    assert state.source is not None
    state.source.undo()
    assert draw_entries(state, "target", [TARGET]).key == "target:2"


def test_value_that_the_batch_rounds_is_no_other_edit(state: State) -> None:
    """float32 holds 0.1 as 0.10000000149: neither the echo of 0.1 nor the table drawn again is news."""
    logit: Entry = ("logits", (0, 2, 1))
    editor = draw_entries(state, "logits", [logit])
    for _ in range(2):
        save_typed(state, editor, {logit: 0.1})
    assert edits(state) == ["logits[0, 2, 1] = 0.1"]
    assert draw_entries(state, "logits", [logit]) is editor


def test_emptied_field_is_drawn_anew_and_its_echo_is_not(state: State) -> None:
    editor = draw_entries(state, "target", [TARGET])
    save_typed(state, editor, {TARGET: None})
    fresh = draw_entries(state, "target", [TARGET])
    save_typed(state, editor, {TARGET: None})
    assert (edits(state), fresh.key) == ([], "target:2")
    assert draw_entries(state, "target", [TARGET]) is fresh


def test_words_of_a_list_stay_the_words_of_its_key() -> None:
    """A list answers with words, which the words of another drawing would not explain."""
    editors = Editors()
    keys = [
        editors.draw("mask", words, {"mask": "declared"}).key for words in (("lengths",), ("lengths",), ("weights",))
    ]
    assert keys == ["mask:1", "mask:1", "mask:2"]


def test_choice_made_by_a_button_has_a_new_field_and_the_old_one_is_not_heard() -> None:
    kept: dict[str, Any] = {}
    with session(kept):
        state = State()
        old = state.choice("reduction", "mean")
        kept["reduction"] = "positions"  # "Use this reduction"
        assert state.choice("reduction", "mean").key == "reduction:2"
        kept[old.key] = "mean"
        state.take_choice(old)
        assert kept["reduction"] == "positions"
        kept[old.key] = "counted"
        state.take_choice(old)
        assert kept["reduction"] == "counted"
