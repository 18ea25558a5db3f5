"""The steps of a recorded run: a list, and a strip with the number of each; the chosen one is the batch on screen."""

import streamlit as st

from lossviz.digits import number
from lossviz.errors import LossvizError
from lossviz.figures import step_strip
from lossviz.runs import Run
from lossviz.ui.session.default_reduction import recorded_with
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width, selected_cell
from lossviz.ui.shared.selectbox import select
from lossviz.ui.shared.widgets import say

__all__ = ["STEP", "show_step", "step_picker"]

STEP, STRIP = "run_step", "run_strip"
WIDTH = 262  # of the sidebar's plot at 1280 × 800, until the browser has said its own


def step_picker(state: State, run: Run) -> None:
    """Let the user choose a step; put its batch on the screen, or say in one sentence why it can't be read."""
    try:
        steps = run.steps()
    except LossvizError as error:
        say("error", str(error))
        return
    names = [str(step) for step in steps["step"]]
    if read_widget(STEP) not in names:
        write_widget(STEP, names[-1])
    cell = (0, names.index(read_widget(STEP)))
    picked = selected_cell(STRIP, cell)
    if picked is not None and picked[1] < len(names):
        cell = (0, picked[1])
        write_widget(STEP, names[cell[1]])
    words = [_words(row) for row in steps.itertuples(index=False)]
    step = select(
        state,
        STEP,
        f"Step of {run.name}",
        dict(zip(names, words, strict=True)),
        about="A recorded step, the number that was printed for it, and the mean over the timesteps that count. "
        "All pages show its batch.",
    )
    with st.container(key="run_steps"):
        strip = step_strip(steps, theme=theme(), width=plot_width(STRIP, WIDTH))
        plot(strip, key=STRIP, cell=(0, names.index(step)), label=f"{len(names)} steps. Arrow keys choose one.")
    show_step(state, run, int(step))


def show_step(state: State, run: Run, step: int) -> None:
    """Put a step's batch on the screen, with the edits that it had."""
    name = f"{run.name}, step {step}"
    known = state.known("run", name)
    try:
        batch = run.batch(step) if known is None else known.batch
    except LossvizError as error:
        say("error", str(error))
        return
    state.show(known or Source("run", name, batch, reduction=recorded_with(batch), series=run.name))


def _words(row: object) -> str:
    """A step in the list: its number, what was printed, and the true mean.

    >>> from types import SimpleNamespace
    >>> _words(SimpleNamespace(step=1200, printed="2.31", mean=2.25))
    '1,200 · 2.31, mean 2.2500'
    """
    step, printed, mean = (getattr(row, name) for name in ("step", "printed", "mean"))
    shown = "" if printed is None else f"{str(printed)[:12]}, "
    return f"{step:,} · {shown}mean {number(mean)}"
