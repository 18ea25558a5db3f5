"""A frame: both heatmaps with one selected timestep, the doors into Explore, and the curves."""

from functools import partial

import plotly.graph_objects as go
import streamlit as st

from lossviz.analysis import Analysis, analyze
from lossviz.figures import Learning, learning_curves, step_line, two_runs
from lossviz.theatre import SIDES, Recording, Run
from lossviz.ui.learn.live_page import page_named
from lossviz.ui.session.staging import Staging
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.plot import Picture, head_start, kept_picture, plot, plot_width, selected_cell
from lossviz.ui.shared.widgets import literal
from lossviz.ui.train.door import FRAME, frame_name

__all__ = ["curves_panel", "frames_panel"]

PICTURE, CURVES, WIDTH = "train_picture", "train_lines", 930
NAMES = {"right": "right", "wrong": "bug"}
Key = tuple[str, str, int, bytes]


def frames_panel(staging: Staging, recording: Recording, at: int) -> None:
    """Draw what each timestep of the fixed batch costs both models, and what the selected one costs."""
    with st.container(key="train_frames"):
        cell = selected_cell(PICTURE, staging.cell)
        runs = [recording.side(side) for side in SIDES]
        frames = tuple(_named(run, at) for run in runs)
        both = [_analyzed(frame, run, at) for frame, run in zip(frames, runs, strict=True)]
        picture = _pictured(frames, theme(), plot_width(PICTURE, WIDTH), both)
        staging.cell = plot(
            picture, key=PICTURE, cell=cell,
            label=f"Step {recording.steps[at]}: the losses of eight sequences, right run and bug. Arrow keys select.",
        )  # fmt: skip
        head_start()
        with st.container(key="train_doors", horizontal=True, vertical_alignment="center"):
            st.caption(literal(_cell(both, staging.cell)), width="content")
            st.space("stretch")
            for side in SIDES:
                st.page_link(
                    page_named("explore"),
                    label=f"Open this frame of the {NAMES[side]}{' run' if side == 'right' else ''} in Explore",
                    icon=":material/open_in_new:",
                    query_params={FRAME: frame_name(staging, side, recording.steps[at])},
                )


def curves_panel(recording: Recording, at: int) -> None:
    """Draw what both programs printed, and what is true of their models."""
    with st.container(key="train_curves"):
        wide = plot_width(CURVES, WIDTH)
        picture = kept_picture(CURVES, (recording, theme(), wide), partial(_curves, recording, theme(), wide))
        label = "Printed and true means of both runs over the steps; the numbers stand above and in the verdict."
        line = step_line(recording.steps[at], theme=theme())
        plot(picture, key=CURVES, label=label, shapes=[line], selectable=False)
        st.caption("Dots: what each program prints in training, step by step. Lines: the truth on held-out text.")


def _curves(recording: Recording, colours: str, width: float) -> go.Figure:
    runs = [
        Learning(NAMES[side], run.reported, run.steps, run.true[:, 0])
        for side, run in ((side, recording.side(side)) for side in SIDES)
    ]
    return learning_curves(runs, last=recording.settings.steps, theme=colours, width=width)


def _named(run: Run, at: int) -> Key:
    """What names a frame for all visitors; on another machine a training gives other losses."""
    return run.settings.key, run.bug, int(run.steps[at]), run.losses[at].tobytes()


@st.cache_resource(max_entries=128, show_spinner=False)
def _analyzed(frame: Key, _run: Run, _at: int) -> Analysis:  # noqa: ARG001 - it is kept by that
    return analyze(_run.batch(_at))


@st.cache_resource(max_entries=128, show_spinner=False)
def _pictured(frames: tuple[Key, ...], colours: str, width: float, _both: list[Analysis]) -> Picture:  # noqa: ARG001
    words = _both[0].batch.vocabulary
    return Picture.of(two_runs(_both, classes=None if words is None else len(words), theme=colours, width=width))


def _cell(both: list[Analysis], cell: tuple[int, int] | None) -> str:
    """What the selected timestep costs both models."""
    right, wrong = both
    if cell is None or not all(0 <= place < size for place, size in zip(cell, right.batch_loss.shape, strict=True)):
        return "Select a cell to read both losses."
    batch = right.batch
    word = batch.input_token(int(batch.inputs[cell])) if right.is_classifier and batch.inputs is not None else None
    token = word if word is not None else batch.token(int(batch.targets[cell]))
    padding = "" if right.is_classifier or right.mask[cell] else " (padding)"
    return (
        f"Sequence {cell[0]}, timestep {cell[1]}, {token[:24]!r}{padding}: "
        f"right {right.batch_loss[cell]:.4f}, bug {wrong.batch_loss[cell]:.4f} nats."
    )
