"""What a training loop was told, as far as the numbers of libraries depend on it: smoothing, micro-batches, weights."""

import re
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lossviz.analysis import Analysis
from lossviz.conventions.compare import merged_options
from lossviz.errors import LossvizError
from lossviz.reductions import MAX_SAFE_INTEGER
from lossviz.ui.session.state import default_widget
from lossviz.ui.shared.settings_panel import OPTIONS
from lossviz.ui.shared.widgets import say

__all__ = ["LISTS", "NO_LIST", "NUMBERS", "loop_options"]

NUMBERS: dict[str, tuple[str, float | int | None, dict[str, Any], str]] = {
    "smoothing": (
        "Label smoothing ε",
        0.1,
        {"min_value": 0.0, "max_value": 1.0, "step": 0.05, "format": "%.3g"},
        "How much of each target is spread over the other classes.",
    ),
    "accumulation_steps": (
        "Micro-batches",
        2,
        {"min_value": 1, "max_value": MAX_SAFE_INTEGER, "step": 1},
        OPTIONS["accumulation_steps"][2],
    ),
    "max_length": (
        "Constant length L_max",
        None,
        {"min_value": 1, "max_value": MAX_SAFE_INTEGER, "step": 1},
        OPTIONS["max_length"][2],
    ),
    "z_loss": (
        "z-loss factor",
        1e-4,
        {"min_value": 0.0, "max_value": 1.0, "step": 1e-4, "format": "%.3g"},
        "What logsumexp² is multiplied by before it is added to each loss.",
    ),
}
"""The numbers: label, default, what the field allows, help."""
LISTS = {
    "class_weights": (
        "Class weights",
        "1, 1, 0.5, …",
        "Numbers, one for each class: what its losses are multiplied by.",
    ),
    "bytes_per_token": ("Bytes per token", "1, 3, 2, …", "Numbers, one for each class: how many UTF-8 bytes it has."),
}

NO_LIST = "{}: type numbers with commas between them, such as 1, 1, 0.5."


def loop_options(analysis: Analysis, complaints: DeltaGenerator) -> dict[str, Any]:
    """Draw the options, and return those that were said; one that can't be used is left out, and why is said there."""
    with st.popover("Options of the loop", width="stretch"):
        columns = st.columns(2)
        said: dict[str, Any] = {}
        for at, name in enumerate(NUMBERS):
            with columns[at % 2]:
                said[name] = _number(name)
        wrong = {name: _list(name, said) for name in LISTS}
    possible = _possible(analysis, {name: value for name, value in said.items() if value is not None}, wrong)
    with complaints:
        for complaint in filter(None, wrong.values()):
            say("error", complaint)
    return possible


def _number(name: str) -> Any:
    label, default, allowed, words = NUMBERS[name]
    default_widget(f"loop_{name}", default)
    empty = OPTIONS[name][1] if name in OPTIONS else "none"
    return st.number_input(
        label, value=None, key=f"loop_{name}", placeholder=empty, help=words, persist_state="session", **allowed
    )


def _list(name: str, said: dict[str, Any]) -> str:
    """Read the numbers that were typed into what was said; returns why they can't be read, or ""."""
    label, example, words = LISTS[name]
    typed = st.text_input(label, key=f"loop_{name}", placeholder=example, help=words, persist_state="session")
    try:
        numbers = [float(word) for word in re.split(r"[\s,;]+", (typed or "").strip("[]() \n")) if word]
    except ValueError:
        return NO_LIST.format(label)
    said[name] = numbers or None
    return ""


def _possible(analysis: Analysis, said: dict[str, Any], wrong: dict[str, str]) -> dict[str, Any]:
    for name in tuple(said):
        try:
            merged_options(analysis, {name: said[name]})
        except LossvizError as error:
            del said[name]
            wrong[name] = str(error)
    return said
