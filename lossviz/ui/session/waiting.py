"""Keep what was typed on a page that is left while Streamlit is busy.

Streamlit merges messages that wait, and drops the fields that the newest one lacks. Leaving a page sends a message
without that page's fields, so what was typed there a moment ago would be dropped before its callback ran.
"""

from functools import cache

from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner_utils import script_requests

__all__ = ["keep_what_waits", "merged"]

_streamlits_own = script_requests._coalesce_widget_states


def merged(old_states: WidgetStates | None, new_states: WidgetStates | None) -> WidgetStates | None:
    """Merge two waiting messages as Streamlit does, and keep the fields that only the older one has."""
    both = _streamlits_own(old_states, new_states)
    if old_states and new_states and both:
        known = {field.id for field in both.widgets}
        both.widgets.extend(field for field in old_states.widgets if field.id not in known)
    return both


@cache
def keep_what_waits() -> None:
    """Let Streamlit merge waiting messages with `merged`; once per process."""
    script_requests._coalesce_widget_states = merged
