"""The widget values that a browser sends unasked when it reconnects to a restarted server."""

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.common import user_key_from_element_id

__all__ = ["sent_keys"]


def sent_keys() -> frozenset[str]:
    """The keys of the widgets whose values came with this run; none on a new tab's first run."""
    context = get_script_run_ctx()
    if context is None:
        return frozenset()
    sent = context.session_state._state._new_widget_state.states
    return frozenset(key for one in sent if (key := user_key_from_element_id(one)) is not None)
