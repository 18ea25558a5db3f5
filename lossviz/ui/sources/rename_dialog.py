"""The dialog for a file whose arrays have other names."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lossviz.errors import LossvizError
from lossviz.formats import propose
from lossviz.ui.shared.widgets import say

__all__ = ["ask_names"]

ASKED = {
    "logits": "Scores before the softmax, (sequences, timesteps, classes).",
    "targets": "The class that each timestep should predict, (sequences, timesteps).",
    "lengths": "How many timesteps of each sequence count, (sequences,).",
    "weights": "A weight or a mask per timestep, (sequences, timesteps). Takes precedence over lengths.",
    "inputs": "What the model read, (sequences, timesteps).",
    "vocabulary": "One token per class.",
    "losses": "Without logits: −log p of each target in nats, (sequences, timesteps).",
    "log_probs": "Without logits: log p of each target in nats, (sequences, timesteps).",
}
COLUMNS = {
    "sequence": "Which sequence the row belongs to, counted from 0.",
    "timestep": "Which timestep, counted from 0.",
    "class": "Which class, counted from 0; none where each row holds all logits of a timestep.",
    "logit": "The score of that class before the softmax.",
    "target": "The class that the timestep should predict.",
    "length": "How many timesteps of the sequence count.",
    "weight": "A weight or a mask for the timestep. Takes precedence over lengths.",
    "input": "What the model read.",
    "token": "The token of the class.",
    "loss": "Without logits: −log p of the target in nats.",
    "log_prob": "Without logits: log p of the target in nats.",
}
IDS = {
    "pad_id": ("Id of the padding", "Pads the rows. Without weights and lengths, these targets do not count."),
    "eos_id": ("Id of the end", "The token that ends a sequence."),
    "ignore_id": ("Ignored label", "A target that does not count, such as −100."),
}
"""The ids that a file may lack: label and help."""
NOT_THERE = "not in this file"


@st.dialog("Which array is which?", width="medium")
def ask_names(
    arrays: Mapping[str, Any],
    answer: Callable[..., None],
    *,
    table: bool = False,
    ids: Mapping[str, int | None] | None = None,
) -> None:
    """Ask for the file's own name of each array, or column of a table, and for the ids that no array says.

    Args:
        arrays: what the file holds; {} asks for the ids alone.
        answer: gets the names and the ids, and may refuse them.
        table: whether it is a table.
        ids: of a file that was read already: what they are now; what was not changed is no answer.
    """
    known = dict.fromkeys(IDS) if ids is None else dict(ids)
    if ids is None:
        st.write("The file uses other names.")
    names, proposed = _names(arrays, COLUMNS if table else ASKED) if arrays else ({}, {})
    typed = {name: _id(place, name, known[name]) for place, name in zip(st.columns(len(IDS)), IDS, strict=True)}
    if st.button("Open", type="primary", key="map_open"):
        if ids is not None and names == proposed:
            names = {}
        try:
            answer(names, **{name: value for name, value in typed.items() if value != known[name]})
        except LossvizError as error:
            say("error", str(error))
        else:
            st.rerun()


def _names(arrays: Mapping[str, Any], asks: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """The names that were chosen in the dialog, and those that the arrays' names and shapes suggest."""
    st.write("What fits by name and shape is chosen already.")
    # An attention mask is about the inputs: it becomes the weights only if the user says so.
    proposed = propose({name: value for name, value in arrays.items() if name != "attention_mask"}, tuple(asks))
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
    return names, proposed


def _id(place: DeltaGenerator, name: str, now: int | None) -> int | None:
    label, words = IDS[name]
    typed = place.number_input(label, value=now, step=1, key=f"map_{name}", placeholder="none", help=words)
    return None if typed is None else int(typed)


def _shape(value: Any) -> str:
    return f"{value.shape} {value.dtype}" if hasattr(value, "shape") else ""
