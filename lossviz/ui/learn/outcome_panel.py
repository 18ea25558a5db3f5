"""What the lines that were picked give in TensorFlow, beside what the right ones give."""

import numpy as np
import streamlit as st

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.figures import grid
from lossviz.lessons import Fill, Outcome, Step, batch_named, read_choice, run
from lossviz.ui.session.state import State
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import plot, plot_width
from lossviz.ui.shared.widgets import literal

__all__ = ["outcome_panel"]

WIDTH = 560  # of the right column at 1280 × 800, until the browser has said its own


def outcome_panel(state: State, step: Step) -> None:
    """Draw the heatmap and the number of the learner's own function, and those of the right one."""
    for ask, given in zip(step.asks, state.learning.of(step.id).given, strict=False):
        choice = read_choice(ask.function, given) if isinstance(ask, Fill) else None
        if not isinstance(ask, Fill) or choice is None:
            continue
        batch = batch_named(step.screen.batch)
        if choice != ask.function.right:
            _outcome("Yours", run(ask.function, choice, batch), batch)
        _outcome("The right lines", run(ask.function, ask.function.right, batch), batch)


def _outcome(name: str, outcome: Outcome, batch: Batch) -> None:
    refused = f"TensorFlow refuses it: {outcome.refusal}." if outcome.refusal else f"it prints {outcome.text}"
    st.markdown(f"**{literal(name)}**: {literal(refused)}")
    key = f"learn_outcome_{name.split()[0]}"
    if outcome.cells is not None and np.isfinite(outcome.cells).all():
        figure = grid(_drawn(outcome.cells, batch), theme=theme(), width=plot_width(key, WIDTH))
        plot(figure, key=key, label=f"{name}: what is added up, cell by cell.", selectable=False)


def _drawn(cells: np.ndarray, batch: Batch) -> Analysis:
    """The cells as the losses of a batch, without a mask: what they are already."""
    rows, columns = cells.shape
    targets = batch.targets[:rows, :columns]
    return analyze(Batch.from_arrays(targets=targets, losses=cells, vocabulary=batch.vocabulary))
