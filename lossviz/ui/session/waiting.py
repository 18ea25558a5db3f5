"""Keep what was typed, and where the user went, while the server is busy.

Streamlit holds one message while it is busy. Leaving a page sends a message without that page's fields, just after the
one with what was typed there; and a page that is left may speak once more before it hears that it was. So here:

- messages that wait are merged with the fields of both. The configuration turns `runner.fastReruns` off for that: with
  it, a message of a page makes Streamlit throw away the one that waits.
- callbacks run to their end. Streamlit looks for the next message before it calls them, and whenever one of them reads
  the session state: it would begin with that message and never come back.
- a message that a page sends after it was left never leads back to it, and is not dropped where its fragment (a part
  of a page that is drawn by itself) is gone: its fields are taken, and the page that was asked for last is drawn.
- a page that asks to be drawn again (`st.rerun`) while another page is waited for lets that one be drawn.

What was measured: docs/decisions/0019-an-edit-names-its-target.md.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, wraps
from typing import Any
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests, ScriptRequestType
from streamlit.runtime.state.safe_session_state import SafeSessionState

from lossviz.ui.session.state import default_widget, read_widget

__all__ = [
    "Everywhere",
    "Visit",
    "keep_what_waits",
    "merged",
    "on_every_page",
    "on_the_waiting_page",
    "with_what_is_there",
]

EVERYWHERE = "waiting:on_every_page"
TRIGGERS = {"trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value"}
"""The kinds of values that a field has in one message only, the one that says what was done with it."""

_streamlits_own = script_requests._coalesce_widget_states


def merged(old_states: WidgetStates | None, new_states: WidgetStates | None) -> WidgetStates | None:
    """Merge two waiting messages as Streamlit does, and keep the fields that only the older one has."""
    both = _streamlits_own(old_states, new_states)
    if old_states and new_states and both:
        known = {field.id for field in both.widgets}
        both.widgets.extend(field for field in old_states.widgets if field.id not in known)
    return both


@dataclass(eq=False)
class Visit:
    """The page that a browser asked for last, and those that it may still speak for until it hears of that one.

    Attributes:
        page: the one that was asked for last, or "".
        left: those that were left since, until the browser speaks for `page`.
        carried: the fields that came with the last click on a page.
        said: the fields of the last message.
    """

    page: str = ""
    left: set[str] = field(default_factory=set)
    carried: frozenset[str] = frozenset()
    said: Mapping[str, WidgetState] = field(default_factory=dict)

    def take(self, message: ClientState, *, is_drawn: bool, everywhere: Collection[str] = ()) -> None:
        """Let a message that was sent before the browser heard of `page` ask for `page`.

        A click back and a late message both name a page that was left. But a click carries no fields except those that
        stand on every page, with the values that they had in the message before; anything else that a page sends
        carries its own fields as well, or says something new.

        Args:
            message: of the browser; changed if it is late, or if its fragment is not on that page.
            is_drawn: whether its fragment is still known.
            everywhere: the fields that stand on every page, as any page has drawn them.

        >>> visit = Visit()
        >>> late = ClientState(page_script_hash="explore", fragment_id="picture")
        >>> for message in (ClientState(page_script_hash="explore"), ClientState(page_script_hash="doctor"), late):
        ...     visit.take(message, is_drawn=True)
        >>> late.page_script_hash, late.fragment_id
        ('doctor', '')
        """
        page, fields = message.page_script_hash, {one.id: one for one in message.widget_states.widgets}
        is_common = fields.keys() <= self.carried.union(everywhere)
        is_click = not message.fragment_id and is_common and not any(map(self._is_news, fields.values()))
        self.said = fields
        if page == self.page:
            if not is_click:
                self.left.clear()
        elif self.page and (message.fragment_id or (page in self.left and not is_click)):
            message.page_script_hash, message.fragment_id = self.page, ""
        else:
            self.left = {*self.left, self.page} - {page}
            self.page, self.carried = page, frozenset(fields)
        if not is_drawn:
            message.fragment_id = ""

    def _is_news(self, one: WidgetState) -> bool:
        """Whether a field was used since the last message; one that was only drawn has the value that it began with."""
        kind, before = one.WhichOneof("value"), self.said.get(one.id)
        is_new = kind == "json_value" if before is None else before != one  # a component says nothing until it is used
        return kind in TRIGGERS or is_new


@dataclass(eq=False)
class Everywhere:
    """The fields that stand on every page: of any page, since the browser may show a mixture while one is drawn.

    Attributes:
        page: the one that is drawn, or was drawn last; "" before the first.
        drawn: the fields that were ever drawn.
        drawing: gives those that are being drawn now.
    """

    page: str = ""
    drawn: frozenset[str] = frozenset()
    drawing: Callable[[], Collection[str]] = tuple

    @property
    def fields(self) -> frozenset[str]:
        """Their ids, those of this moment included."""
        return self.drawn.union(self.drawing())


@contextmanager
def on_every_page() -> Iterator[None]:
    """What is drawn in this block stands on every page: note its fields, at once, and even if it is broken off."""
    context = get_script_run_ctx()
    if context is None:
        yield
        return
    default_widget(EVERYWHERE, Everywhere())
    everywhere: Everywhere = read_widget(EVERYWHERE)
    everywhere.page, everywhere.drawing = context.page_script_hash, context.shared.widget_ids_this_run.snapshot
    try:
        yield
    finally:
        everywhere.drawn, everywhere.drawing = everywhere.fields, tuple


def with_what_is_there(request: RerunData, is_drawn: Callable[[str], bool]) -> RerunData:
    """The request, of the whole page where a fragment that it asks for is gone by now.

    >>> with_what_is_there(RerunData(fragment_id_queue=["picture"]), lambda fragment: False).fragment_id_queue
    []
    """
    gone = not all(map(is_drawn, request.fragment_id_queue))
    return replace(request, fragment_id_queue=[], is_fragment_scoped_rerun=False) if gone else request


def on_the_waiting_page(request: RerunData, waiting: RerunData) -> RerunData:
    """The request, of the page that is waited for where it comes from a script, which has no fields, and of no other.

    >>> explore, doctor = (RerunData(page_script_hash=page) for page in ("explore", "doctor"))
    >>> on_the_waiting_page(explore, doctor).page_script_hash
    'doctor'
    """
    if request.widget_states is not None or waiting.fragment_id_queue:
        return request
    page = {name: getattr(waiting, name) for name in ("page_script_hash", "page_name", "query_string")}
    return replace(request, **page)


@cache
def keep_what_waits() -> None:
    """Let Streamlit do so; once per process."""
    script_requests._coalesce_widget_states = merged
    ScriptRequests.request_rerun = _queueing(ScriptRequests.request_rerun)  # type: ignore[method-assign]
    AppSession.request_rerun = _asking(AppSession.request_rerun)  # type: ignore[method-assign]
    ScriptRunner._run_script = _running(ScriptRunner._run_script)  # type: ignore[method-assign]
    SafeSessionState.on_script_will_rerun = _to_the_end(  # type: ignore[method-assign]
        SafeSessionState.on_script_will_rerun
    )


def _asking(own: Callable[..., None]) -> Callable[..., None]:
    visits: WeakKeyDictionary[AppSession, Visit] = WeakKeyDictionary()

    @wraps(own)
    def request_rerun(session: AppSession, client_state: ClientState | None) -> None:
        if client_state is not None:
            visit = visits.setdefault(session, Visit())
            everywhere = _everywhere(session)
            visit.page = visit.page or everywhere.page  # the first message of a browser names no page
            is_drawn = session.has_fragment(client_state.fragment_id)
            visit.take(client_state, is_drawn=is_drawn, everywhere=everywhere.fields)
        own(session, client_state)

    return request_rerun


def _everywhere(session: AppSession) -> Everywhere:
    """What the pages of a session have drawn on every page; nothing before the first."""
    try:
        everywhere: Everywhere = session.session_state[EVERYWHERE]
    except KeyError:
        return Everywhere()
    return everywhere


def _queueing(own: Callable[..., bool]) -> Callable[..., bool]:
    @wraps(own)
    def request_rerun(queue: ScriptRequests, new_data: RerunData) -> bool:
        waits = queue._state is ScriptRequestType.RERUN
        return own(queue, on_the_waiting_page(new_data, queue._rerun_data) if waits else new_data)

    return request_rerun


def _running(own: Callable[..., None]) -> Callable[..., None]:
    @wraps(own)
    def _run_script(runner: Any, rerun_data: RerunData) -> None:
        own(runner, with_what_is_there(rerun_data, runner._fragment_storage.contains))

    return _run_script


def _to_the_end(own: Callable[..., None]) -> Callable[..., None]:
    @wraps(own)
    def on_script_will_rerun(state: Any, *fields: Any, **options: Any) -> None:
        look_for_messages = state._yield_callback
        object.__setattr__(state, "_yield_callback", _nothing)  # it passes on what is set the usual way
        try:
            own(state, *fields, **options)
        finally:
            object.__setattr__(state, "_yield_callback", look_for_messages)

    return on_script_will_rerun


def _nothing() -> None:
    """Stand for looking for messages."""
