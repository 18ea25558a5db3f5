"""Messages that meet a busy server: what they say is taken, and nobody is led back to the page that was left.

Each test asks Streamlit itself, of the version that is installed, whether it still calls what is replaced.
"""

import inspect
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.exceptions import StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState
from streamlit.runtime.state import SessionState
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState

from lossviz.ui.session import waiting
from lossviz.ui.session.waiting import (
    EVERYWHERE,
    Everywhere,
    Visit,
    keep_what_waits,
    merged,
    on_every_page,
    with_what_is_there,
)
from tests.ui.driver import ROOT

PLACES = [
    (script_requests, "_coalesce_widget_states"),
    (ScriptRequests, "request_rerun"),
    (AppSession, "request_rerun"),
    (ScriptRunner, "_run_script"),
    (SafeSessionState, "on_script_will_rerun"),
]


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit with our replacements, which are taken back."""
    for owner, name in PLACES:
        monkeypatch.setattr(owner, name, getattr(owner, name))
    keep_what_waits.__wrapped__()


def message(**numbers: float) -> WidgetStates:
    return WidgetStates(widgets=[WidgetState(id=name, double_value=value) for name, value in numbers.items()])


def said(states: WidgetStates | None) -> dict[str, float]:
    return {field.id: field.double_value for field in states.widgets} if states else {}


def test_field_of_a_page_that_was_left_is_kept() -> None:
    assert said(merged(message(weight=0.5, mask=1), message(mask=2))) == {"weight": 0.5, "mask": 2}


def test_one_message_alone_stays_as_it_is() -> None:
    assert said(merged(None, message(mask=2))) == said(merged(message(mask=2), None)) == {"mask": 2}


@pytest.mark.usefixtures("kept")
def test_streamlit_merges_that_way() -> None:
    queue = ScriptRequests()
    queue.request_rerun(RerunData(widget_states=message(weight=0.5), fragment_id="explore"))
    queue.request_rerun(RerunData(widget_states=message(mask=2), page_script_hash="reductions"))
    request = queue.on_scriptrunner_ready()
    assert said(request.rerun_data.widget_states) == {"weight": 0.5, "mask": 2}
    assert request.rerun_data.page_script_hash == "reductions"


@pytest.mark.usefixtures("kept")
def test_page_that_draws_itself_again_lets_the_waiting_page_be_drawn() -> None:
    """`st.rerun` sends no fields; a message of the browser does, and leads where it says."""
    queue = ScriptRequests()
    queue.request_rerun(RerunData(widget_states=message(mask=2), page_script_hash="doctor"))
    queue.request_rerun(RerunData(page_script_hash="explore"))
    request = queue.on_scriptrunner_ready()
    assert (request.rerun_data.page_script_hash, said(request.rerun_data.widget_states)) == ("doctor", {"mask": 2})
    queue.request_rerun(RerunData(page_script_hash="explore"))
    queue.request_rerun(RerunData(widget_states=message(mask=1), page_script_hash="doctor"))
    assert queue.on_scriptrunner_ready().rerun_data.page_script_hash == "doctor"


def test_messages_wait_in_one_queue() -> None:
    """With fast reruns Streamlit drops the queue, and what waits in it, as soon as another page is asked for."""
    import tomllib

    configuration = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text("utf-8"))
    assert configuration["runner"] == {"fastReruns": False}


SIDEBAR, FIELDS = {"mask": 1.0}, {"mask": 1.0, "weight": 0.5}


def sent(page: str, fragment: str = "", **fields: float) -> ClientState:
    return ClientState(page_script_hash=page, fragment_id=fragment, widget_states=message(**fields))


@pytest.mark.parametrize(
    ("last", "is_drawn", "expected"),
    [
        (sent("doctor", "answer", **FIELDS), True, ("doctor", "answer")),
        (sent("doctor", "answer", **FIELDS), False, ("doctor", "")),
        (sent("explore", "picture", **FIELDS), True, ("doctor", "")),
        (sent("explore", "picture", **FIELDS), False, ("doctor", "")),
        (sent("explore", **FIELDS), True, ("doctor", "")),
        (sent("explore", **SIDEBAR), True, ("explore", "")),
        (sent("runs", **SIDEBAR), True, ("runs", "")),
    ],
    ids=["at home", "gone", "late", "late and gone", "late, all of the page", "clicked back", "clicked on"],
)
def test_page_that_was_left_speaks_for_the_one_that_was_asked_for(
    last: ClientState, is_drawn: bool, expected: tuple[str, str]
) -> None:
    """Explore is left for Doctor, and the browser has not heard of it yet."""
    visit = Visit()
    for one in (sent("explore"), sent("explore", **FIELDS), sent("doctor", **SIDEBAR)):
        visit.take(one, is_drawn=False)
    visit.take(last, is_drawn=is_drawn)
    assert (last.page_script_hash, last.fragment_id) == expected
    assert visit.page == expected[0]


def test_sidebar_that_changes_is_told_from_a_click_back() -> None:
    """The plot of the sidebar first tells its width after the click: only the page that is asked for brings fields."""
    strip = {**SIDEBAR, "strip": 930.0}
    answers = []
    for everywhere in ((), strip):
        visit, last = Visit(), sent("explore", **strip)
        visit.take(sent("explore"), is_drawn=False)
        visit.take(sent("doctor", **SIDEBAR), is_drawn=False)
        visit.take(last, is_drawn=False, everywhere=everywhere)
        answers.append(last.page_script_hash)
    assert answers == ["doctor", "explore"]


def test_what_is_chosen_in_the_sidebar_of_a_page_without_fields_is_no_click_back() -> None:
    """Its message has the fields of a click; what tells them apart is that one of them has another value."""
    visit, chosen, again = Visit(), sent("runs", mask=2), sent("runs", mask=2)
    for one in (sent("runs"), sent("doctor", mask=1), chosen):
        visit.take(one, is_drawn=False)
    assert (chosen.page_script_hash, visit.page) == ("doctor", "doctor")
    visit.take(again, is_drawn=False)
    assert (again.page_script_hash, visit.page) == ("runs", "runs")


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"trigger_value": True}, "doctor"), ({"json_value": "{}"}, "doctor"), ({"bool_value": True}, "explore")],
    ids=["a button", "a component", "a switch that was drawn"],
)
def test_new_field_is_news_only_if_it_has_to_be_used_to_have_a_value(value: dict[str, Any], expected: str) -> None:
    """What a page draws in the sidebar comes with the next click, with the value that it began with."""
    visit, last = Visit(), sent("explore", **SIDEBAR)
    last.widget_states.widgets.append(WidgetState(id="new", **value))
    for one in (sent("explore"), sent("doctor", **SIDEBAR), last):
        visit.take(one, is_drawn=False, everywhere={"mask", "new"})
    assert last.page_script_hash == expected


def test_page_that_has_spoken_may_be_left_with_fields_that_nobody_knows() -> None:
    """A sidebar that is drawn anew has new fields; the browser is on the page since that spoke, so nothing is late."""
    visit = Visit()
    for one in (sent("explore"), sent("doctor"), sent("explore", **FIELDS), sent("doctor", **FIELDS)):
        visit.take(one, is_drawn=False)
    assert (visit.page, visit.left) == ("doctor", set())
    visit.take(sent("explore", **{"mask:2": 1.0}), is_drawn=False)
    assert (visit.page, visit.left) == ("explore", {"doctor"})


def test_page_that_is_clicked_twice_is_still_not_heard_of() -> None:
    visit, late = Visit(), sent("explore", **FIELDS)
    for one in (sent("explore"), sent("doctor", **SIDEBAR), sent("doctor", **SIDEBAR), late):
        visit.take(one, is_drawn=False)
    assert late.page_script_hash == "doctor"


def test_fragment_that_is_gone_draws_the_page() -> None:
    fragments = MemoryFragmentStorage()
    assert with_what_is_there(RerunData(fragment_id_queue=["cut"]), fragments.contains).fragment_id_queue == []
    assert with_what_is_there(RerunData(fragment_id_queue=["cut"]), bool).fragment_id_queue == ["cut"]
    assert with_what_is_there(RerunData(), fragments.contains) == RerunData()


class Session:
    """What `AppSession.request_rerun` needs of a session."""

    _state, _scriptrunner = None, None

    def __init__(self) -> None:
        self._client_state = ClientState()
        self.taken: list[RerunData] = []
        self._create_scriptrunner = self.taken.append
        self.session_state = {EVERYWHERE: Everywhere("doctor", frozenset({"mask"}))}

    def has_fragment(self, fragment: str) -> bool:
        return fragment == "drawn"


@pytest.mark.usefixtures("kept")
def test_streamlit_asks_for_the_page_that_way() -> None:
    """What a page says that was left is taken, and where it leads is what the fields on every page tell."""
    session: Any = Session()
    for one in (sent("explore"), sent("doctor"), sent("explore", "picture", weight=0.5), sent("explore", weight=1)):
        AppSession.request_rerun(session, one)
    AppSession.request_rerun(session, sent("explore", mask=2))
    assert [(data.page_script_hash, data.fragment_id, said(data.widget_states)) for data in session.taken] == [
        ("explore", None, {}),
        ("doctor", None, {}),
        ("doctor", None, {"weight": 0.5}),
        ("doctor", None, {"weight": 1.0}),
        ("explore", None, {"mask": 2.0}),
    ]


@pytest.mark.usefixtures("kept")
def test_click_is_taken_although_more_of_the_sidebar_was_drawn_since_the_last_one() -> None:
    """Runs is left while the browser still draws its sidebar, and asked for again before the server draws another."""
    session: Any = Session()
    session.session_state = {EVERYWHERE: Everywhere("runs", frozenset({"mask", "door"}))}
    for one in (sent("runs"), sent("learn", mask=1), sent("runs", mask=1, door=1)):
        AppSession.request_rerun(session, one)
    assert [data.page_script_hash for data in session.taken] == ["runs", "learn", "runs"]


def test_fields_on_every_page_are_kept_when_another_page_is_drawn_or_its_drawing_is_broken_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ids: set[str] = set()
    context = SimpleNamespace(shared=SimpleNamespace(widget_ids_this_run=SimpleNamespace(snapshot=lambda: ids)))
    kept: dict[str, Any] = {}
    monkeypatch.setattr(waiting, "get_script_run_ctx", lambda: context)
    monkeypatch.setattr(waiting, "default_widget", kept.setdefault)
    monkeypatch.setattr(waiting, "read_widget", kept.__getitem__)
    context.page_script_hash = "runs"
    with on_every_page():
        ids |= {"mask"}
        assert (kept[EVERYWHERE].page, kept[EVERYWHERE].fields) == ("runs", {"mask"})
    with suppress(StopException), on_every_page():
        ids |= {"door"}
        raise StopException
    ids.clear()  # as Streamlit does before it draws the next page
    context.page_script_hash = "learn"
    with on_every_page():
        ids |= {"mask", "words"}
    ids |= {"weight"}  # of the page itself
    assert (kept[EVERYWHERE].page, kept[EVERYWHERE].fields) == ("learn", {"mask", "door", "words"})


def test_streamlit_draws_the_page_that_way(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The fragment was gone before its turn came."""
    taken: list[RerunData] = []
    monkeypatch.setattr(ScriptRunner, "_run_script", lambda _, rerun_data: taken.append(rerun_data))
    request.getfixturevalue("kept")
    runner: Any = SimpleNamespace(_fragment_storage=MemoryFragmentStorage())
    ScriptRunner._run_script(runner, RerunData(fragment_id_queue=["picture"], widget_states=message(weight=0.5)))
    assert [(data.fragment_id_queue, said(data.widget_states)) for data in taken] == [([], {"weight": 0.5})]
    assert "self._run_script(request.rerun_data)" in inspect.getsource(ScriptRunner._run_script_thread)


def field(callback: Callable[[], None]) -> WidgetMetadata[Any]:
    return WidgetMetadata("weight", lambda value: value, lambda value: value, "double_value", callback=callback)


@pytest.mark.usefixtures("kept")
def test_callback_runs_to_its_end() -> None:
    """The next message is looked for afterwards: one that comes meanwhile breaks no callback off."""

    class Next(Exception):
        """The next message, where Streamlit looks for it."""

    def look() -> None:
        raise Next

    taken: list[float] = []
    state = SafeSessionState(SessionState(), look)
    ThreadState.initialize()
    state._state._set_widget_metadata(field(lambda: taken.append(state["weight"])))
    state.on_script_will_rerun(message(weight=0.5))
    assert taken == [0.5]
    with pytest.raises(Next):
        state["weight"]
