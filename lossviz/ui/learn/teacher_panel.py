"""The teacher's view: one step per screen, in four stops: question, options with a tally, result, why.

There is no INPUT on it, since Streamlit's shortcuts are dead while one has the focus, and a clicker sends PageDown.
Where a class stands is in the address: `&teacher=1&stop=1&votes=3-1-5`.
"""

from functools import partial

import plotly.graph_objects as go
import streamlit as st

from lossviz.analysis import Analysis
from lossviz.figures import grid, mask
from lossviz.lessons import Ask, Pick, Step, analysis_of, answer_text, label_of, options, working
from lossviz.ui.learn.address import STOPS, go_to, next_step, previous_step, step_bar, teach
from lossviz.ui.learn.picture_panel import logits_table
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot
from lossviz.ui.shared.widgets import literal

__all__ = ["teacher_panel"]

QUESTION, OPTIONS, RESULT, WHY = range(4)
BLANK = "teacher_blank"
FEW = 4  # rows: so many are drawn twice as large, and the type of 12 px is read as 24
WIDTHS = {True: 360, False: 560}  # of the figure before it is enlarged
MOST_VOTES = 999
GRIDS = {"targets": "targets", "losses": "losses", "unpadded": "unpadded"}


def teacher_panel(state: State) -> Step:
    """Draw the view; returns the step that is on it."""
    screen, controls = st.container(key="teacher"), st.container(key="teacher_controls")
    with controls:
        step = step_bar(state, marks=False)
        _buttons(state, step)
    stop = state.learning.stop
    with screen:
        if read_widget(BLANK):
            st.markdown("&nbsp;")
            return step
        with st.container(key="learn_question", gap="small"):
            st.header(f"{step.id} {step.title}", anchor=False)
            st.markdown(literal(step.body))
        left, right = st.columns([1, 1.5])
        with left:
            _left(state, step, stop)
        with right, st.container(key="teacher_picture"):
            _picture(step, after=stop >= RESULT)
    return step


def _left(state: State, step: Step, stop: int) -> None:
    [ask, *_], analysis = step.asks, analysis_of(step.screen)
    if stop < WHY:
        st.markdown(f"**{literal(label_of(ask, analysis))}**")
    if stop in (OPTIONS, RESULT):
        _tally(state, step, ask, analysis, shows=stop == RESULT)
    if stop == RESULT:
        st.markdown(literal(working(ask, analysis)))
    if stop == WHY:
        for one in step.asks:
            st.markdown(f"**{literal(answer_text(one, analysis))}** {literal(working(one, analysis))}")
        st.markdown(literal(step.why))


def _tally(state: State, step: Step, ask: Ask, analysis: Analysis, *, shows: bool) -> None:
    """The options with their votes; a digit adds one. The right one is marked by a sign and by its place."""
    offered = options(ask, analysis)
    votes = _votes(state, step, len(offered))
    right = answer_text(ask, analysis)
    for place, (option, count) in enumerate(zip(offered, votes, strict=True)):
        is_right = option in right.split(" or ") if isinstance(ask, Pick) else option == right
        mark = ("✓ " if is_right else "– ") if shows else f"{place + 1}: "
        st.button(
            f"{mark}{literal(option)}  ·  {count}",
            key=f"teacher_option_{step.id}_{place}",
            shortcut=str(place + 1),
            type="primary" if shows and is_right else "secondary",
            width="stretch",
            on_click=partial(_vote, state, step, place, len(offered)),
        )


def _picture(step: Step, *, after: bool) -> None:
    screen, analysis = step.screen, analysis_of(step.screen)
    kind = screen.after if after and screen.after != "equation" else screen.before
    few = len(analysis.mask) <= FEW
    wide = WIDTHS[few]
    picked = [ask for ask in step.asks if isinstance(ask, Pick)]
    if kind == "cell" or (after and screen.after == "cell"):
        cell = screen.cell if after else screen.example
        if cell is not None:
            st.latex(analysis.explain(*cell).latex)
    elif kind == "logits" and screen.cell is not None:
        logits_table(analysis, screen.cell)
    elif kind == "mask":
        _plot(mask(analysis.batch, theme=theme(), width=wide), "Which timesteps count.", few=few)
    elif after and screen.after == "equation":
        part = "losses" if picked else "unpadded"
        figure = grid(analysis, part=part, cell=screen.cell, theme=theme(), width=wide)
        _plot(figure, "The losses, or what is left of them under the mask.", few=few)
    elif kind in GRIDS:
        _plot(grid(analysis, part=kind, theme=theme(), width=wide), "The batch of the question.", few=few)


def _plot(figure: go.Figure, label: str, *, few: bool) -> None:
    plot(figure, key="teacher_plot" if few else "teacher_plot_of_many", label=label, selectable=False)


def _buttons(state: State, step: Step) -> None:
    with st.container(key="teacher_buttons", horizontal=True, vertical_alignment="center"):
        st.button("Back", key="teacher_back", shortcut="PageUp", on_click=partial(_move, state, step, -1))
        st.button("On", key="teacher_on", shortcut="PageDown", type="primary", on_click=partial(_move, state, step, 1))
        st.button("Blank", key="teacher_blank_button", shortcut="B", on_click=_blank)
        st.caption(f"{STOPS[state.learning.stop]}, then PageDown. Digits count votes.", width="content")
        st.space("stretch")
        st.button(
            "Leave the teacher's view", key="teacher_leave", type="tertiary", on_click=partial(teach, state, False)
        )


def _move(state: State, step: Step, by: int) -> None:
    """One stop on or back; beyond the last one, the next step. A callback."""
    stop = state.learning.stop + by
    write_widget(BLANK, False)
    if 0 <= stop < len(STOPS):
        state.learning.stop = stop
        return
    other = next_step(step) if by > 0 else previous_step(step)
    if other is not None:
        go_to(state, other, stop=QUESTION if by > 0 else WHY)


def _votes(state: State, step: Step, count: int) -> list[int]:
    """The tally of a step; zeros where the address held one of other options."""
    votes = state.learning.votes.get(step.id, [])
    return votes if len(votes) == count else [0] * count


def _vote(state: State, step: Step, place: int, count: int) -> None:
    votes = list(_votes(state, step, count))
    votes[place] = min(votes[place] + 1, MOST_VOTES)
    state.learning.votes[step.id] = votes


def _blank() -> None:
    write_widget(BLANK, not read_widget(BLANK))
