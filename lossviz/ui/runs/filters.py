"""What the list of sequences is cut down to: typed, chosen, or clicked in the small pictures."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import streamlit as st

from lossviz.figures.runs.grouped_losses import MOST
from lossviz.runs import Run
from lossviz.ui.session.link_checks import Links, is_text
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.plot import Cell, selected_cell
from lossviz.ui.shared.selectbox import select
from lossviz.ui.shared.widgets import literal

__all__ = ["BARS", "LINKED", "bar_of", "filters", "take_clicked_bars"]

TOKEN, LENGTH, TIMESTEP, RANK = "runs_token", "runs_length", "runs_timestep", "runs_rank"
LINKED: Links = dict.fromkeys((TOKEN, LENGTH, TIMESTEP, RANK), is_text)
_LENGTHS = re.compile(r"\s*(\d{1,9})(?:\s*(?:-|–|to)\s*(\d{1,9}))?\s*")


@dataclass(frozen=True)
class _Bars:
    """A small picture whose bars filter the list.

    Attributes:
        plot: its key.
        widget: the filter that a click sets.
    """

    plot: str
    widget: str


BARS: Mapping[str, _Bars] = {
    "token": _Bars("run_by_token", TOKEN),
    "position": _Bars("run_by_position", TIMESTEP),
    "length": _Bars("run_by_length", LENGTH),
}
"""The small pictures, by what they group."""


def filters(state: State, run: Run) -> dict[str, Any]:
    """Draw the filters; returns the arguments of `Run.sequences` that they stand for."""
    several = len(run.ranks) > 1
    places = st.columns([1.4, 1, 1, 1] if several else [1.4, 1, 1], vertical_alignment="bottom")
    with places[0]:
        token = _typed(
            state,
            "With the token",
            TOKEN,
            "Only sequences where this token is a target that counts: its text or id.",
        )
    with places[1]:
        length = _typed(state, "Length", LENGTH, "Only sequences of which so many timesteps count: 12, or 12-40.")
    with places[2]:
        timestep = _typed(state, "Counts at timestep", TIMESTEP, "Only sequences in which this timestep counts.")
    given = {"token": _token(run, token), "lengths": _lengths(length), "timestep": _whole(timestep)}
    if several:
        with places[3]:
            names = {"": "any", **{str(rank): f"process {rank}" for rank in run.ranks}}
            chosen = select(state, RANK, "Recorded by", names, about="Only sequences that this process has seen.")
            given["rank"] = int(chosen) if chosen else None
    return given


def take_clicked_bars(run: Run) -> None:
    """Let the bar that was clicked last filter the list, before the filters are drawn; Escape lets go."""
    for name, bars in BARS.items():
        before = bar_of(run, name)
        picked = selected_cell(bars.plot, before)
        if picked != before:
            write_widget(bars.widget, "" if picked is None else _words(run, name, picked))


def bar_of(run: Run, name: str) -> Cell | None:
    """The bar that the filter stands for, where it stands for one."""
    text = str(read_widget(BARS[name].widget) or "").strip()
    if not text:
        return None
    if name == "token":
        top = _top(run)
        return (top.index(text), 0) if text in top else None
    number = _whole(text)
    return None if number is None else (0, number)


def _top(run: Run) -> list[str]:
    """The tokens that have a bar, in their order."""
    words: list[str] = run.by("token")["token"].head(MOST).tolist()
    return words


def _words(run: Run, name: str, cell: Cell) -> str:
    """What a bar's cell writes into its filter."""
    if name != "token":
        return str(cell[1])
    top = _top(run)
    return str(top[cell[0]]) if cell[0] < len(top) else ""


def _typed(state: State, label: str, name: str, about: str) -> str:
    editor = state.choice(name, "")  # a bar that is clicked sets it too
    text = st.text_input(
        label,
        value=editor.shown[name],
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        placeholder="any",
        help=about,
    )
    state.take_reconnected(editor)
    return (text or "").strip()


def _token(run: Run, typed: str) -> int | None:
    """The class of a typed token; −1, which no sequence holds, for one that the vocabulary lacks."""
    if not typed:
        return None
    words = run.recorded.vocabulary or ()
    if typed in words:
        return words.index(typed)
    if typed.isdecimal() and len(typed) < 19:
        return int(typed)
    st.caption(literal(f"The run's vocabulary has no token `{typed[:40]}`. Type it as it is written there, or its id."))
    return -1


def _lengths(typed: str) -> tuple[int, int] | None:
    """How many timesteps, from and to; what is neither a number nor two is said, and filters nothing."""
    if not typed:
        return None
    match = _LENGTHS.fullmatch(typed)
    if match is None:
        st.caption(literal(f"A length is a number such as 12, or two such as 12-40; got `{typed[:40]}`."))
        return None
    return int(match[1]), int(match[2] or match[1])


def _whole(typed: str) -> int | None:
    """A typed timestep.

    >>> _whole("12"), _whole("")
    (12, None)
    """
    if typed.isdecimal() and len(typed) < 10:
        return int(typed)
    return None
