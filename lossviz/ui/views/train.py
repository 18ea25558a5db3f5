"""Train: what does one wrong line do to the number, and what to the model?"""

from pathlib import Path

import streamlit as st

from lossviz.ui.session.state import get_state
from lossviz.ui.shared.equation import theme
from lossviz.ui.shared.learn_links import learn_links
from lossviz.ui.shared.memory import memory
from lossviz.ui.train.address import act_bar, enter, mirror
from lossviz.ui.train.question_panel import HEADING, act_buttons, committed, question_panel, title_of
from lossviz.ui.train.stage import again, controls, stage

__all__ = ["run_again", "train"]

STORE = "lossviz.train.1"
HERE = Path(__file__).parents[1]
CSS = HERE / "learn" / "learn.css", HERE / "train" / "train.css"
DARK_CSS = HERE / "learn" / "dark.css"
TOPICS = {
    1: "stop tokens",
    2: "losses without a mask",
    3: "extra padding",
    4: "the pad id",
    5: "shifted targets",
    6: "micro-batches",
    7: "the mask upside down",
    8: "the timestep that is read",
}
"""What the lessons say of each act's bug."""


def train() -> None:
    """Draw the page."""
    state = get_state()
    for file in (*CSS, *([DARK_CSS] if theme() == "dark" else [])):
        st.html(file)
    if state.entered:
        enter(state)
    act = act_bar(state)
    question_panel(state, act)
    with st.container():
        if committed(state, act):
            controls(state)
            stage(state)
            learn_links(TOPICS[act.number])
        else:
            st.caption("Both runs are shown once you have predicted.")
    act_buttons(state, act)
    title = title_of(act)
    memory(state.staging.predictions, STORE, heading=HEADING, title=title, announced=title)
    mirror(state)


def run_again() -> None:
    """Draw the page once more in a while, if its frames play or a training is watched."""
    state = get_state()
    if committed(state, state.staging.act):
        again(state.staging)
