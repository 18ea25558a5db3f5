"""A and B: any two of the samples, the files that were opened, before and after edits, and the steps of the runs."""

import re
from collections.abc import Callable
from functools import partial

import streamlit as st

from lossviz.batch import Batch
from lossviz.runs import Comparison
from lossviz.runs import compare as compared
from lossviz.samples import SAMPLES, load_sample
from lossviz.ui.session.default_reduction import recorded_with
from lossviz.ui.session.link_checks import Links, is_text
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.computation import load_engine
from lossviz.ui.shared.selectbox import select
from lossviz.ui.shared.settings_panel import chosen_settings

__all__ = ["LINKED", "A", "B", "choice_panel", "comparison_of"]

A, B = "compare_a", "compare_b"
LINKED: Links = {A: is_text, B: is_text}
_TRAINED = "(un|half-)?trained"  # the batches of one model before, within and after its training
Batches = dict[str, Callable[[], Batch]]
SAME = (
    "A and B are the same batch. Choose another B: a second file with the same sequences, another step of a run "
    "(`lossviz app run/`), or a sample of the same family. Or edit the batch on Explore, then compare it with how it "
    "came."
)


def choice_panel(state: State) -> tuple[str, str] | None:
    """Draw the two choices; returns what was chosen, or None where both are one batch."""
    names = list(_options(state))
    first, last = _defaults(state, names)
    options = {name: name for name in names}
    for key, default in ((A, first), (B, last)):
        if read_widget(key) not in options:
            write_widget(key, default)
    line = st.container(key="compare_choice", horizontal=True, vertical_alignment="bottom")
    one, swap, other = line.container(), line.container(width="content"), line.container()
    with one:
        a = select(state, A, "A", options, about="The first batch: a step of a run, an opened file, a sample.")
    with other:
        b = select(state, B, "B", options, about="The second batch, with the same sequences as A.")
    swap.button("Swap", key="compare_swap", on_click=partial(_swap, a, b))
    if a == b:
        st.info(SAME)
        return None
    return a, b


def comparison_of(state: State, a: str, b: str) -> Comparison:
    """Compare two of the options under the mask and the reduction of the sidebar.

    Raises:
        LossvizError: if one can't be read, or they do not hold the same sequences.
    """
    load_engine()
    options, settings = _options(state), chosen_settings()
    batches = [options[name]() for name in (a, b)]
    key = (a, b, settings, *map(id, batches))
    kept = read_widget("compare:kept")
    if kept is None or kept[0] != key:
        kept = key, compared(batches[0], batches[1], settings), batches
        write_widget("compare:kept", kept)
    comparison: Comparison = kept[1]
    return comparison


def _options(state: State) -> Batches:
    """What can be compared, by its words: a function that gives the batch."""
    options: Batches = {}
    for name, run in state.runs.items():
        options |= {f"{name}, step {step}": partial(_step, state, name, step) for step in run.step_numbers}
    for (door, name), source in state.sources.items():
        if door != "run":
            options[f"{name} ({door})"] = partial(_current, source)
            if source.differences:
                options[f"{name} ({door}), as it came"] = partial(_original, source)
    for sample in SAMPLES:
        options.setdefault(f"{sample.name} (sample)", partial(_sample, sample.name))
    return options


def _defaults(state: State, names: list[str]) -> tuple[str, str]:
    """The first and the last step of the first run; else the batch on screen with how it came, or its family."""
    if state.runs:
        name, run = next(iter(state.runs.items()))
        return f"{name}, step {run.step_numbers[0]}", f"{name}, step {run.step_numbers[-1]}"
    shown = state.source
    here = f"{shown.name} ({shown.door})" if shown is not None else names[0]
    if f"{here}, as it came" in names:
        return f"{here}, as it came", here
    stem = re.sub(_TRAINED, "", here)
    return here, next((name for name in names if name != here and re.sub(_TRAINED, "", name) == stem), here)


def _swap(a: str, b: str) -> None:
    write_widget(A, b)
    write_widget(B, a)


def _step(state: State, name: str, step: int) -> Batch:
    """A step with the edits that it had; it is kept, so that the same one is not read again."""
    run = state.runs[name]
    key = "run", f"{run.name}, step {step}"
    if key not in state.sources:
        batch = run.batch(step)
        state.sources[key] = Source(*key, batch, reduction=recorded_with(batch))
    return state.sources[key].current


def _current(source: Source) -> Batch:
    return source.current


def _original(source: Source) -> Batch:
    return source.base


@st.cache_resource(max_entries=8, show_spinner=False)
def _sample(name: str) -> Batch:
    return Batch.from_arrays(**load_sample(name))
