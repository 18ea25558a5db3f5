"""Messages that meet a busy server: what they say is taken, and nobody is led back to the page that was left.

Each test asks Streamlit itself, of the version that is installed, whether it still calls what is replaced.
"""

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState
from streamlit.runtime.state import SessionState
from streamlit.runtime.state.common import WidgetMetadata
from streamlit.runtime.state.safe_session_state import SafeSessionState

from lossviz.ui.session.waiting import keep_what_waits, merged, on_the_page, with_what_is_there
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


@pytest.mark.parametrize(
    ("asked", "page", "fragment", "is_drawn", "expected"),
    [
        ("explore", "explore", "picture", True, ("explore", "picture")),
        ("doctor", "explore", "picture", True, ("doctor", "")),
        ("doctor", "explore", "picture", False, ("doctor", "")),
        ("doctor", "doctor", "picture", False, ("doctor", "")),
        ("doctor", "explore", "", False, ("explore", "")),
        ("", "explore", "picture", True, ("explore", "picture")),
    ],
    ids=["at home", "late", "late and gone", "gone", "a page", "first"],
)
def test_fragment_leads_to_no_other_page(
    asked: str, page: str, fragment: str, is_drawn: bool, expected: tuple[str, str]
) -> None:
    late = ClientState(page_script_hash=page, fragment_id=fragment)
    assert on_the_page(asked, late, is_drawn=is_drawn) == expected[0]
    assert (late.page_script_hash, late.fragment_id) == expected


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

    def has_fragment(self, fragment: str) -> bool:
        return fragment == "drawn"


@pytest.mark.usefixtures("kept")
def test_streamlit_asks_for_the_page_that_way() -> None:
    """A late fragment's message is taken, though its page was left."""
    session: Any = Session()
    AppSession.request_rerun(session, ClientState(page_script_hash="doctor"))
    late = ClientState(page_script_hash="explore", fragment_id="picture", widget_states=message(weight=0.5))
    AppSession.request_rerun(session, late)
    assert [(data.page_script_hash, data.fragment_id, said(data.widget_states)) for data in session.taken] == [
        ("doctor", None, {}),
        ("doctor", None, {"weight": 0.5}),
    ]


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
