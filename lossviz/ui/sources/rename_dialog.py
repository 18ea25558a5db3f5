"""The dialog for a file whose arrays have other names."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from lossviz.errors import LossvizError
from lossviz.formats import propose
from lossviz.ui.shared.widgets import say

__all__ = ["ask_names"]

ASKED = {
    "logits": "Scores before the softmax, (sequences, timesteps, classes).",
    "targets": "The class that each timestep should predict, (sequences, timesteps).",
    "lengths": "How many timesteps of each sequence count, (sequences,).",
    "weights": "A weight or a mask per timestep, (sequences, timesteps). Wins over lengths.",
    "inputs": "What the model read, (sequences, timesteps).",
    "vocabulary": "One token per class.",
}
COLUMNS = {
    "sequence": "Which sequence the row belongs to, counted from 0.",
    "timestep": "Which timestep, counted from 0.",
    "class": "Which class, counted from 0; none where each row holds all logits of a timestep.",
    "logit": "The score of that class before the softmax.",
    "target": "The class that the timestep should predict.",
    "length": "How many timesteps of the sequence count.",
    "weight": "A weight or a mask for the timestep. Wins over lengths.",
    "input": "What the model read.",
    "token": "The token of the class.",
}
NOT_THERE = "not in this file"


@st.dialog("Which array is which?", width="medium")
def ask_names(arrays: Mapping[str, Any], answer: Callable[[dict[str, str]], None], *, table: bool = False) -> None:
    """Ask for the file's own name of each array, or column of a table; `answer` gets the names and may refuse them."""
    st.write("The file uses other names. What fits by name and shape is chosen already.")
    asks = COLUMNS if table else ASKED
    proposed = propose(arrays, tuple(asks))
    options = [NOT_THERE, *arrays]
    names = {}
    for asked, meaning in asks.items():
        chosen = st.selectbox(
            asked,
            options,
            index=options.index(proposed.get(asked, NOT_THERE)),
            format_func=lambda name: name if name == NOT_THERE else f"{name}  {_shape(arrays[name])}",
            help=meaning,
            key=f"map_{asked}",
        )
        if chosen != NOT_THERE:
            names[asked] = chosen
    if st.button("Open", type="primary", key="map_open"):
        try:
            answer(names)
        except LossvizError as error:
            say("error", str(error))
        else:
            st.rerun()


def _shape(value: Any) -> str:
    return f"{value.shape} {value.dtype}" if hasattr(value, "shape") else ""
