"""The dialog for a file whose arrays have other names."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from lossviz.errors import LossvizError
from lossviz.formats import propose
from lossviz.ui.widgets import say

__all__ = ["ask_names"]

ASKED = {
    "logits": "Scores before the softmax, (sequences, timesteps, classes).",
    "targets": "The class that each timestep should predict, (sequences, timesteps).",
    "lengths": "How many timesteps of each sequence count, (sequences,).",
    "weights": "A weight or a mask per timestep, (sequences, timesteps). Wins over lengths.",
    "inputs": "What the model read, (sequences, timesteps).",
    "vocabulary": "One token per class.",
}
NOT_THERE = "not in this file"


@st.dialog("Which array is which?", width="medium")
def ask_names(arrays: Mapping[str, Any], answer: Callable[[dict[str, str]], None]) -> None:
    """Ask for the file's own name of each array; `answer` gets the names and may refuse them."""
    st.write("The file uses other names. What fits by name and shape is chosen already.")
    proposed = propose(arrays)
    options = [NOT_THERE, *arrays]
    names = {}
    for asked, meaning in ASKED.items():
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
