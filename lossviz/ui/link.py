"""The address in the browser restores what is on screen: the choices, the typed text, the edits, the selected cell."""

import base64
import binascii
import json
import zlib
from math import isfinite
from typing import Any

import streamlit as st

from lossviz.edits import Edit
from lossviz.errors import InputError
from lossviz.figures import QUANTITIES
from lossviz.ui.session.default_reduction import Choices
from lossviz.ui.session.link_checks import Links
from lossviz.ui.session.reconnecting import sent_keys
from lossviz.ui.session.repair import Repair, packed_repair, unpacked_repair
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import Linked, State, read_widget, write_widget
from lossviz.ui.shared.downloads_panel import batch_button

__all__ = ["LIMIT", "TOO_LONG_FOR_A_LINK", "pack", "remember", "restore", "unpack"]

LIMIT = 6_000  # characters: what browsers and chat programs carry without cutting it
MOST_EDITS = 1_000
TOO_LONG_FOR_A_LINK = "too-long"
TOO_LONG = "This view is too long for a link: the address does not restore it. Download the batch to keep it."


def pack(view: dict[str, Any]) -> str:
    """A view as one word that an address can carry.

    >>> unpack(pack({"cell": [1, 2]}))
    {'cell': [1, 2]}
    """
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(view).encode(), 9)).decode().rstrip("=")


def unpack(word: str) -> dict[str, Any]:
    """The view that `pack` made the word from; {} for any other word, however hostile."""
    if len(word) > LIMIT:
        return {}
    try:
        packed = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
        text = zlib.decompressobj().decompress(packed, 50 * LIMIT)
        view = json.loads(text)
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return {}
    return view if isinstance(view, dict) else {}


def remember(state: State) -> None:
    """Write what is on screen into the address; a view too large for one is not linked, and the page says so."""
    view = {key: value for key in state.linkable if (value := read_widget(key)) is not None}
    if state.cell is not None:
        view["cell"] = list(state.cell)
    if state.scale is not None and view.get("lock"):
        view["scale"] = list(state.scale)
    if state.source is not None:
        view["source"] = [state.source.door, state.source.name]
        view["edits"] = _packed(state.source)
        view["identify_number"] = state.source.printed or ""  # the box holds another batch's until its page is drawn
    word = pack({key: value for key, value in view.items() if value != ""})
    if len(word) > LIMIT or None in view.get("edits", ()) or len(view.get("edits", ())) > MOST_EDITS:
        st.query_params["view"] = TOO_LONG_FOR_A_LINK  # around/address.js says it beside the link
        st.caption(TOO_LONG)
        batch_button(state, "json")
    elif st.query_params.get("view") != word:
        st.query_params["view"] = word


def restore(state: State, choices: Links) -> None:
    """On a tab's first run, take the choices from the address; what no longer exists is left out.

    After a restart of the server a browser sends what its widgets show, which may be news: that wins over the address.

    Args:
        state: of the tab.
        choices: what an address may say, by the names under which the controls keep it; each says what is possible.
    """
    state.fresh = not state.restored
    if state.restored:
        return
    state.restored, state.linkable = True, tuple(choices)
    sent = sent_keys()
    view = unpack(st.query_params.get("view", ""))
    said = {key: view[key] for key, is_possible in choices.items() if key in view and is_possible(view[key])}
    for key, value in said.items():
        if key not in sent:
            write_widget(key, value)
    state.opening.linked = frozenset(Choices._fields) & said.keys()
    state.scale = _scale(view.get("scale"))
    source = view.get("source")
    if isinstance(source, list) and len(source) == 2:
        cell, edits, printed = _cell(view.get("cell")), tuple(_edits(view.get("edits"))), read_widget("identify_number")
        state.linked = Linked((source[0], source[1]), cell, edits, printed or "")


def _scale(value: Any) -> tuple[str, float, float] | None:
    """The locked colour scale: its quantity and ends."""
    if not (isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and value[0] in QUANTITIES):
        return None
    quantity, low, high = value
    if not all(type(end) in (int, float) and isfinite(end) for end in (low, high)):
        return None
    try:
        QUANTITIES[quantity].locked(low, high)
    except (InputError, OverflowError):
        return None
    return quantity, low, high


def _cell(value: Any) -> tuple[int, int] | None:
    whole = isinstance(value, list) and len(value) == 2 and all(type(number) is int and number >= 0 for number in value)
    return (value[0], value[1]) if whole else None


def _packed(source: Source) -> list[Any]:
    """Every edit and repair of a batch, in order; None for a repair that no address can carry."""
    entries: list[Any] = []
    for step in source.steps:
        if isinstance(step, Repair):
            entries.append(packed_repair(step))
        else:
            entries += [[edit.field, list(edit.index), float(edit.value)] for edit in step]
    return entries


def _edits(value: Any) -> list[Edit | Repair]:
    edits: list[Edit | Repair] = []
    for entry in value[:MOST_EDITS] if isinstance(value, list) else []:
        try:
            edits.append(unpacked_repair(entry) if len(entry) == 5 else _edit(*entry))
        except (InputError, OverflowError, TypeError, ValueError):
            continue
    return edits


def _edit(field: Any, index: Any, number: Any) -> Edit:
    return Edit(str(field), tuple(int(i) for i in index), float(number))
