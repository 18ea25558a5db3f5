"""Messages that wait for a busy server: what only the older one says is kept."""

from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner_utils import script_requests
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests

from lossviz.ui.session.waiting import keep_what_waits, merged


def message(**numbers: float) -> WidgetStates:
    return WidgetStates(widgets=[WidgetState(id=name, double_value=value) for name, value in numbers.items()])


def said(states: WidgetStates | None) -> dict[str, float]:
    return {field.id: field.double_value for field in states.widgets} if states else {}


def test_field_of_a_page_that_was_left_is_kept() -> None:
    assert said(merged(message(weight=0.5, mask=1), message(mask=2))) == {"weight": 0.5, "mask": 2}


def test_one_message_alone_stays_as_it_is() -> None:
    assert said(merged(None, message(mask=2))) == said(merged(message(mask=2), None)) == {"mask": 2}


def test_streamlit_merges_that_way() -> None:
    """Of the version that is installed: its queue asks the function that is replaced."""
    own = script_requests._coalesce_widget_states
    try:
        keep_what_waits.__wrapped__()
        queue = ScriptRequests()
        queue.request_rerun(RerunData(widget_states=message(weight=0.5), fragment_id="explore"))
        queue.request_rerun(RerunData(widget_states=message(mask=2), page_script_hash="reductions"))
        request = queue.on_scriptrunner_ready()
        assert said(request.rerun_data.widget_states) == {"weight": 0.5, "mask": 2}
        assert request.rerun_data.page_script_hash == "reductions"
    finally:
        script_requests._coalesce_widget_states = own
