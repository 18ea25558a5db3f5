"""Find the sequence first: a ranked list with a strip of cells each, and the chosen one over the steps."""

from typing import TYPE_CHECKING

import streamlit as st

from lossviz.errors import InputError
from lossviz.figures import sequence_strips, trajectory
from lossviz.runs import Run
from lossviz.ui.runs.filters import filters, take_clicked_bars
from lossviz.ui.runs.run_choice import go_to_step, step_on_screen
from lossviz.ui.session.link_checks import Links, is_digits, is_text, one_of
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width, selected_cell
from lossviz.ui.shared.selectbox import select

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LINKED", "sequences_panel"]

STRIPS, PATH, WIDTH = "run_strips", "run_trajectory", 930
ORDER, SPLIT, SEQUENCE = "runs_order", "runs_split", "runs_sequence"
ORDERS = {"worst": "Highest loss", "changed": "Largest rise", "spread": "Widest spread"}
LINKED: Links = {ORDER: one_of(ORDERS), SPLIT: is_digits, SEQUENCE: is_text}
MEASURE = {"worst": "mean", "changed": "change", "spread": "spread"}
MOST = 15


def sequences_panel(state: State, run: Run) -> None:
    """Draw the list, its filters, and the trajectory of the sequence that is chosen in it."""
    take_clicked_bars(run)
    order, split = _order(state, run)
    ranked = run.sequences(order, split=split, limit=MOST, **filters(state, run))
    if order == "changed":
        ranked = ranked[ranked["change"].notna()]
    keys = ranked["sequence"].tolist()
    strips = run.strips(keys, split=split)
    value = ranked.set_index("sequence")[MEASURE[order]]
    strips["value"] = strips["sequence"].map(value).astype(float)
    chosen = _chosen(keys)
    row = keys.index(chosen) if chosen in keys else None
    with st.container(key="run_sequences"):
        figure = sequence_strips(strips, measure=MEASURE[order], theme=theme(), width=plot_width(STRIPS, WIDTH))
        cell = None if row is None else (row, 0)
        plot(figure, key=STRIPS, cell=cell, label=f"{len(keys)} sequences. Arrow keys choose one.")
    with st.container(key="run_path"):
        table = None if chosen is None else _recorded(run, chosen)
        if table is None:
            st.caption("Select a row to see the sequence at every step.")
        else:
            _trajectory(state, run, table)


def _order(state: State, run: Run) -> tuple[str, int]:
    order_place, split_place = st.columns([1, 1.4], vertical_alignment="bottom")
    with order_place:
        order = select(state, ORDER, "Sequences with the", ORDERS, about="What the list is sorted by.")
    with split_place:
        steps = {str(step): f"step {step:,}" for step in run.step_numbers}
        if read_widget(SPLIT) not in steps:
            write_widget(SPLIT, str(run.middle))
        about = "A rise is the mean at this step and later, less the mean before it."
        split = int(select(state, SPLIT, "Before and from", steps, about=about))
    return order, split


def _chosen(keys: list[str]) -> str | None:
    """The chosen sequence: the row that was selected last, else the one that was chosen before."""
    kept: str | None = read_widget(SEQUENCE)
    before = (keys.index(kept), 0) if kept in keys else None
    picked = selected_cell(STRIPS, before)
    if picked is None:
        chosen = None if before is not None else kept
    else:
        chosen = keys[picked[0]] if picked[0] < len(keys) else kept
    write_widget(SEQUENCE, chosen)
    return chosen


def _recorded(run: Run, sequence: str) -> "pd.DataFrame | None":
    """The losses of a sequence over the steps; None where an address names one that the run does not hold."""
    try:
        return run.trajectory(sequence)
    except InputError:
        return None


def _trajectory(state: State, run: Run, table: "pd.DataFrame") -> None:
    steps = table["step"].drop_duplicates().tolist()
    step = step_on_screen(run)
    at = (steps.index(step), state.cell[1] if state.cell else 0) if step in steps else None
    picked = selected_cell(PATH, at)
    if picked is not None and picked != at and picked[0] < len(steps):
        at = picked
        _show(state, run, table, steps[picked[0]], picked[1])
    figure = trajectory(table, theme=theme(), width=plot_width(PATH, WIDTH))
    plot(figure, key=PATH, cell=at, label="This sequence at every step. Arrow keys choose a step and a timestep.")
    if at is None:
        st.caption("Select a cell to put its step on all pages.")
    else:
        st.page_link(
            st.Page(_nothing, url_path="explore", title="Explore"),
            label=f"Open step {steps[at[0]]:,} in Explore",
            icon=":material/arrow_forward:",
        )


def _show(state: State, run: Run, table: "pd.DataFrame", step: int, timestep: int) -> None:
    """Put the step on all pages, with the cell of the sequence selected."""
    where = table[table["step"] == step].iloc[0]
    row = run.place(step, rank=int(where["rank"]), micro_batch=int(where["micro_batch"]), row=int(where["row"]))
    name = f"{run.name}, step {step}"
    if state.source is not None and (state.source.door, state.source.name) == ("run", name):
        state.cell = (row, timestep)
    else:
        state.pending = (name, (row, timestep))
        go_to_step(state, run, step)


def _nothing() -> None:
    """Stand for the page, which the navigation draws."""
