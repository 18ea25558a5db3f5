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

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, wraps
from typing import Any
from weakref import WeakKeyDictionary

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests, ScriptRequestType
from streamlit.runtime.state.safe_session_state import SafeSessionState

from lossviz.ui.session.state import write_widget

__all__ = ["Visit", "keep_what_waits", "merged", "on_every_page", "on_the_waiting_page", "with_what_is_there"]

EVERYWHERE = "waiting:on_every_page"

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
    """

    page: str = ""
    left: set[str] = field(default_factory=set)
    carried: frozenset[str] = frozenset()

    def take(self, message: ClientState, *, is_drawn: bool, everywhere: Collection[str] = ()) -> None:
        """Let a message that was sent before the browser heard of `page` ask for `page`.

        A click on a page carries the fields that stand on every page, and no other; whatever else a page sends carries
        its own fields as well. So a click back is told from a late message, which both name the page that was left.

        Args:
            message: of the browser; changed if it is late, or if its fragment is not on that page.
            is_drawn: whether its fragment is still known.
            everywhere: the fields that stand on every page, as `page` draws them; none before it is drawn.

        >>> visit = Visit()
        >>> late = ClientState(page_script_hash="explore", fragment_id="picture")
        >>> for message in (ClientState(page_script_hash="explore"), ClientState(page_script_hash="doctor"), late):
        ...     visit.take(message, is_drawn=True)
        >>> late.page_script_hash, late.fragment_id
        ('doctor', '')
        """
        page, fields = message.page_script_hash, frozenset(one.id for one in message.widget_states.widgets)
        is_click = not message.fragment_id and fields <= self.carried.union(everywhere)
        if page == self.page:
            if not is_click:
                self.left.clear()
        elif self.page and (message.fragment_id or (page in self.left and not is_click)):
            message.page_script_hash, message.fragment_id = self.page, ""
        else:
            self.left = {*self.left, self.page} - {page}
            self.page, self.carried = page, fields
        if not is_drawn:
            message.fragment_id = ""


@contextmanager
def on_every_page() -> Iterator[None]:
    """What is drawn in this block stands on every page: note its fields, from the first on."""
    context = get_script_run_ctx()
    if context is None:
        yield
        return
    page, fields = context.page_script_hash, context.shared.widget_ids_this_run.snapshot
    write_widget(EVERYWHERE, (page, fields))
    yield
    drawn = fields()
    write_widget(EVERYWHERE, (page, lambda: drawn))


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
            drawn, fields = _on_every_page(session)
            visit.page = visit.page or drawn  # the first message of a browser names no page
            is_drawn = session.has_fragment(client_state.fragment_id)
            visit.take(client_state, is_drawn=is_drawn, everywhere=fields() if drawn == visit.page else ())
        own(session, client_state)

    return request_rerun


def _on_every_page(session: AppSession) -> tuple[str, Callable[[], Collection[str]]]:
    """The page that was drawn last, or "", and how it draws the fields that stand on every page."""
    try:
        drawn, fields = session.session_state[EVERYWHERE]
    except KeyError:
        return "", tuple
    return drawn, fields


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
