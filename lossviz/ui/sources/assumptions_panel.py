"""How an opened file was read: what was assumed, each with a button that takes it back."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from lossviz.ui.session.source import Source
from lossviz.ui.shared.widgets import literal
from lossviz.ui.sources.opened_file import arrays_of, changes_of, may_be_renamed
from lossviz.ui.sources.rename_dialog import IDS, ask_names

__all__ = ["BACK", "assumptions_panel"]

BACK = "Read it as recognised"
HELP = "The ids that fill rows up, end them or are ignored, and which array is which."
Reread = Callable[..., None]


def assumptions_panel(source: Source, reread: Reread) -> None:
    """Say what was assumed of a file, with a button for each that takes it back.

    Args:
        source: the opened file.
        reread: reads the file again, given every choice; it raises nothing.
    """
    reading = source.reading
    if reading is None:
        return
    with st.container(key="assumptions"):
        if reading.assumptions:
            st.caption(literal(reading.sentence[0].upper() + reading.sentence[1:] + "."))
        taken: dict[str, int] = {}
        for label, change in changes_of(reading).items():
            [option] = change
            taken[option] = taken.get(option, 0) + 1
            key = f"read_{option}" if taken[option] == 1 else f"read_{option}_{taken[option]}"
            st.button(label, key=key, on_click=partial(reread, **_merged(source.choices, change)))
        if st.button("Ids and names", key="read_names", help=HELP):
            arrays = arrays_of(source.origin) if may_be_renamed(source.origin) else {}
            ids = {name: getattr(source.batch, name) for name in IDS}
            ask_names(arrays, partial(_answered, source, reread), ids=ids)
        if source.choices:
            st.button(BACK, key="read_back", icon=":material/undo:", on_click=reread)


def _merged(choices: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Earlier choices with one more; arrays taken as they are need no other."""
    return change if change.get("layout") == "plain" else {**choices, **change}


def _answered(source: Source, reread: Reread, names: dict[str, str], **ids: int | None) -> None:
    """Read it with what was said in the dialog; names that were left as they stood say nothing."""
    reread(**{**source.choices, **ids, **({"names": names} if names else {})}, raising=True)
