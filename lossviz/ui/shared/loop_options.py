"""The options of a training loop as fields: of the popovers on Reductions and Identify, and of the sidebar."""

import re
from collections.abc import Sequence
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lossviz.analysis import Analysis
from lossviz.conventions import CONVENTIONS
from lossviz.conventions.compare import merged_options
from lossviz.errors import LossvizError
from lossviz.reductions import LOOP_OPTIONS, MAX_SAFE_INTEGER, REDUCTIONS, LoopOption
from lossviz.ui.session.link_checks import Links, of_options
from lossviz.ui.session.state import default_widget
from lossviz.ui.shared.widgets import say

__all__ = ["CONVENTION_OPTIONS", "LINKED", "SETTINGS_OPTIONS", "loop_options", "number_field", "option_fields"]

SETTINGS_OPTIONS = tuple(
    option for option in LOOP_OPTIONS if any(option.name in (*row.needs, *row.may_take) for row in REDUCTIONS)
)
"""What the app's reductions need or may take: fields of `Settings`."""

CONVENTION_OPTIONS = tuple(
    option
    for option in LOOP_OPTIONS
    if option in SETTINGS_OPTIONS or any(option.name in row.needs for row in CONVENTIONS)
)
"""What the numbers of libraries depend on."""

LINKED: Links = of_options("loop_", CONVENTION_OPTIONS)

_EXAMPLE = "1, 1, 0.5, …"
_NO_LIST = "{}: type numbers separated by commas, such as 1, 1, 0.5."


def loop_options(analysis: Analysis, complaints: DeltaGenerator) -> dict[str, Any]:
    """Draw the options, and return those that were given; one that can't be used is left out, and why is said there."""
    for option in CONVENTION_OPTIONS:
        if option.start is not None:
            default_widget(f"loop_{option.name}", option.start)
    with st.popover("Options of the loop", width="stretch", wrap=True):
        given, wrong = option_fields(CONVENTION_OPTIONS, "loop_", empty="none")
    possible = _possible(analysis, given, wrong)
    with complaints:
        for complaint in wrong.values():
            say("error", complaint)
    return possible


def option_fields(options: Sequence[LoopOption], prefix: str, *, empty: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Draw a field for each option.

    Args:
        options: the options, in order.
        prefix: of the keys of the widgets.
        empty: what stands in an empty field, where the option does not say what it is then.

    Returns:
        The values that were given, and by name why others can't be read.
    """
    given: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    columns = st.columns(2)
    for at, option in enumerate(option for option in options if option.kind != "per_class"):
        with columns[at % 2]:
            given[option.name] = st.number_input(
                value=None,
                key=prefix + option.name,
                placeholder=option.absent or empty,
                persist_state="session",
                **number_field(option),
            )
    for option in options:
        if option.kind == "per_class":
            typed = st.text_input(
                option.label, key=prefix + option.name, placeholder=_EXAMPLE, help=option.help, persist_state="session"
            )
            try:
                given[option.name] = _numbers(typed or "")
            except ValueError:
                wrong[option.name] = _NO_LIST.format(option.label)
    return {name: value for name, value in given.items() if value is not None}, wrong


def number_field(option: LoopOption) -> dict[str, Any]:
    """What `st.number_input` needs to know of an option.

    >>> number_field(LOOP_OPTIONS[0])["min_value"]
    1
    """
    words = {"label": option.label, "help": option.help}
    if option.kind == "count":
        return words | {"min_value": 1, "max_value": MAX_SAFE_INTEGER, "step": 1}
    return words | {"min_value": 0.0, "max_value": option.most, "step": option.step, "format": "%.6g"}


def _numbers(typed: str) -> tuple[float, ...] | None:
    return tuple(float(word) for word in re.split(r"[\s,;]+", typed.strip("[]() \n")) if word) or None


def _possible(analysis: Analysis, given: dict[str, Any], wrong: dict[str, str]) -> dict[str, Any]:
    """Those that fit the batch; of the others, `wrong` is told why."""
    possible = {}
    for name, value in given.items():
        try:
            merged_options(analysis, {name: value})
            possible[name] = value
        except LossvizError as error:
            wrong[name] = str(error)
    return possible
