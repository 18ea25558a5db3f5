"""The steps of a recorded run: a list, and a strip with the number of each; the chosen one is the batch on screen."""

from collections.abc import Sequence

import streamlit as st

from lossviz.digits import number
from lossviz.errors import LossvizError
from lossviz.figures import step_strip
from lossviz.runs import Run
from lossviz.ui.session.default_reduction import recorded_with
from lossviz.ui.session.link_checks import Links, is_digits
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width, selected_cell
from lossviz.ui.shared.selectbox import select
from lossviz.ui.shared.widgets import say

__all__ = ["LINKED", "STEP", "nearest_place", "show_step", "step_picker"]

STEP, STRIP = "run_step", "run_strip"
LINKED: Links = {STEP: is_digits}
WIDTH = 262  # of the sidebar's plot at 1280 × 800, until the browser has said its own


def step_picker(state: State, run: Run) -> None:
    """Let the user choose a step; put its batch on the screen, or say in one sentence why it can't be read."""
    try:
        steps = run.outline()
    except LossvizError as error:
        say("error", str(error))
        return
    drawn, names = steps["step"].tolist(), [str(step) for step in run.step_numbers]
    if read_widget(STEP) not in names:
        write_widget(STEP, names[-1])
    before = (0, nearest_place(drawn, int(read_widget(STEP))))
    picked = selected_cell(STRIP, before)
    if picked is not None and picked != before and picked[1] < len(drawn):
        write_widget(STEP, str(drawn[picked[1]]))
    means = dict(zip(drawn, steps["mean"], strict=True))
    words = [_words(step, run.printed(step), means.get(step)) for step in run.step_numbers]
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
        at = nearest_place(drawn, int(step))
        plot(strip, key=STRIP, cell=(0, at), label=f"{len(drawn)} steps. Arrow keys choose one.")
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


def nearest_place(steps: Sequence[int], step: int) -> int:
    """Where a step stands among those that are drawn; the nearest one, where it is not.

    >>> nearest_place([0, 100, 200], 120)
    1
    """
    return min(range(len(steps)), key=lambda at: abs(steps[at] - step))


def _words(step: int, printed: str | None, mean: float | None) -> str:
    """A step in the list: its number, what was printed, and the true mean, where it was read.

    >>> _words(1200, "2.31", 2.25), _words(1300, None, None)
    ('1,200 · 2.31, mean 2.2500', '1,300')
    """
    parts = [f"{printed[:12]}"] if printed is not None else []
    parts += [f"mean {number(mean)}"] if mean is not None else []
    return f"{step:,} · {', '.join(parts)}" if parts else f"{step:,}"
