"""A selectbox whose choice can also be made elsewhere: by a link, a button, another batch."""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from lossviz.ui.session.state import State

__all__ = ["select"]


def select(
    state: State, name: str, label: str, options: Mapping[str, str], *, about: str, first: str | None = None
) -> str:
    """Draw a list of options and return the one that is chosen, which is kept under `name`.

    Args:
        state: which keeps the editors.
        name: where the choice is kept.
        label: of the list.
        options: each option with its words.
        about: what the choice does, shown as its help.
        first: the choice before anybody makes one; the first option by default.
    """
    known = list(options)
    editor = state.choice(name, known[0] if first is None else first, words=tuple(options.values()))
    shown = editor.shown[name]
    chosen: str = st.selectbox(
        label,
        known,
        index=known.index(shown) if shown in known else 0,
        format_func=options.__getitem__,
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        help=about,
    )
    state.take_reconnected(editor)
    return chosen
