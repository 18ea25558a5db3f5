"""The third door: sequences typed one per line, and logits pasted or generated."""

import re
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lossviz.batch import Batch
from lossviz.errors import InputError, LossvizError
from lossviz.formats.typed import PAD, Typed, make_logits, pad, parse_logits, parse_sequences
from lossviz.ui.session.link_checks import Links, is_flag, is_text, is_whole, one_of
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, default_widget, read_widget
from lossviz.ui.shared.widgets import say

__all__ = ["LINKED", "typed_batch", "typed_door"]

EXAMPLE = "the cat sat on the mat\nthe dog ran away\na bird sang"
LOGITS = {
    "random": "Random, from a seed",
    "uniform": "Uniform: every class alike",
    "confident": "Confident: the target is likely",
    "wrong": "Confidently wrong in places",
    "pasted": "Pasted numbers",
}
NONE_YET = "The batch on screen stays."
PASTE = "Paste the logits: one line of V numbers for each timestep, padding too, or nested lists [B][T][V]."
WARMTH = 1.0  # what an emptied temperature is
COLDEST = 0.01
LINKED: Links = {
    "typed_text": is_text,
    "typed_vocabulary": is_text,
    "typed_kind": one_of(LOGITS),
    "typed_seed": is_whole,
    "typed_temperature": lambda value: type(value) in (int, float) and COLDEST <= value <= 1e300,
    "typed_wrong": is_text,
    "typed_pasted": is_text,
    "typed_zero_pads": is_flag,
}
_PLACE = re.compile(r"(\d{1,6})\s*:\s*(\d{1,6})")


def typed_door(state: State) -> None:
    """Draw the fields and put the typed batch on the screen; a bad value keeps the last good one there."""
    message = _fields()
    typed = {
        name: read_widget(f"typed_{name}")
        for name in ("text", "vocabulary", "kind", "seed", "temperature", "wrong", "pasted", "zero_pads")
    }
    known = state.known("typed", "typed")
    with message:
        _say_what_was_read(typed["text"], typed["vocabulary"])
    try:
        if typed["kind"] == "pasted" and not typed["pasted"].strip():
            with message:
                st.info(PASTE)
                st.caption(NONE_YET if known is None else "On screen: the batch from before.")
            return
        if known is None or state.typed != typed:
            made = Source("typed", "typed", typed_batch(**typed))
            state.replace(made)
            known, state.typed = made, typed
    except LossvizError as error:
        with message:  # below the other fields it would be off the screen
            say("error", str(error))
            st.caption(NONE_YET if known is None else "On screen: the last batch that could be read.")
    if known is not None:
        state.show(known)


def typed_batch(
    text: str,
    vocabulary: str,
    kind: str,
    seed: int,
    temperature: float | None,
    wrong: str,
    pasted: str,
    zero_pads: bool = True,
) -> Batch:
    r"""The batch that the fields describe.

    Raises:
        LossvizError: in one sentence, what can't be read and where.

    >>> typed_batch("a b c\na b", "", "uniform", 0, 1.0, "", "").lengths.tolist()
    [3, 2]
    """
    words = vocabulary.split() or None
    if words is not None and len(set(words)) < len(words):
        twice = next(word for word in words if words.count(word) > 1)
        raise InputError(
            f"`vocabulary` must name each token once; `{twice:.80}` stands in it twice. Remove one of them."
        )
    typed = parse_sequences(text, words, zero_pads=zero_pads)
    targets = pad(typed.targets)
    classes = len(typed.vocabulary) if typed.vocabulary else max(int(targets.max(initial=0)) + 1, 2)
    if kind == "pasted":
        logits: Any = parse_logits(pasted, targets.shape)
    else:
        warmth = WARMTH if temperature is None else temperature
        logits = make_logits(kind, targets, classes, wrong=_places(wrong), seed=int(seed), temperature=warmth)
    fits = typed.vocabulary is not None and len(typed.vocabulary) == logits.shape[2]
    return Batch.from_arrays(
        logits=logits,
        targets=targets,
        lengths=np.array(typed.lengths),
        vocabulary=typed.vocabulary if fits else None,
        pad_id=_pad_id(typed),
        title="typed",
    )


def _pad_id(typed: Typed) -> int | None:
    if typed.zero_pads:
        return 0
    return typed.vocabulary.index(PAD) if typed.vocabulary and PAD in typed.vocabulary else None


def _say_what_was_read(text: str, vocabulary: str) -> None:
    """Say what was assumed about the lines, with the way to change it; what can't be read is said elsewhere."""
    try:
        typed = parse_sequences(text, vocabulary.split() or None)
    except LossvizError:
        return
    if typed.left_out:
        which = ", ".join(map(str, typed.left_out))
        one = len(typed.left_out) == 1
        words = f"Line {which} is empty and was left out." if one else f"Lines {which} are empty and were left out."
        say("caption", f"{words} Write [] for a sequence of length 0.")
    if typed.zero_pads:
        st.checkbox(
            "The zeros that end the lines are padding",
            key="typed_zero_pads",
            help="All lines are of one length, and 0 stands nowhere else. Untick it where 0 is a class.",
            persist_state="session",
        )


def _places(text: str) -> list[tuple[int, int]]:
    rest = _PLACE.sub("", text).strip(" ,;\n")
    if rest:
        raise InputError(f"The wrong timesteps must be written sequence:timestep, such as 0:3 1:2; got {rest[:40]!r}.")
    return [(int(b), int(t)) for b, t in _PLACE.findall(text)]


def _fields() -> DeltaGenerator:
    """Draw the fields; returns the place of what is said about them."""
    default_widget("typed_text", EXAMPLE)
    default_widget("typed_kind", "random")
    default_widget("typed_temperature", WARMTH)
    default_widget("typed_seed", 0)
    default_widget("typed_zero_pads", True)
    for name in ("vocabulary", "wrong", "pasted"):
        default_widget(f"typed_{name}", "")
    st.text_area(
        "Sequences, one per line",
        key="typed_text",
        height=110,
        help="The targets: tokens or ids separated by spaces, or `[[1, 2, 3], [4, 5]]`. Lengths follow from the lines "
        "and can be edited below.",
        persist_state="session",
    )
    message = st.container()
    kind = st.selectbox(
        "Logits",
        list(LOGITS),
        format_func=LOGITS.__getitem__,
        key="typed_kind",
        help="Generated, or pasted. Any single logit can be edited at the selected cell.",
        persist_state="session",
    )
    _options(kind)
    st.text_input(
        "Vocabulary, if not built from the text",
        key="typed_vocabulary",
        help="All tokens in the order of their ids, separated by spaces.",
        persist_state="session",
    )
    return message


def _options(kind: str) -> None:
    if kind == "random":
        seed, temperature = st.columns(2)
        seed.number_input(
            "Seed", min_value=0, step=1, key="typed_seed", persist_state="session", help="Same seed, same logits."
        )
        temperature.number_input(
            "Temperature",
            min_value=COLDEST,
            value=None,
            step=0.1,
            placeholder=f"{WARMTH}",
            key="typed_temperature",
            help="Higher is flatter: logits are divided by it.",
            persist_state="session",
        )
    elif kind == "wrong":
        st.text_input(
            "Wrong at, as sequence:timestep",
            key="typed_wrong",
            placeholder="0:3 1:2",
            help="Both count from 0.",
            persist_state="session",
        )
    elif kind == "pasted":
        st.text_area(
            "Logits",
            key="typed_pasted",
            height=120,
            placeholder="[[[0.1, 2.0], [1.5, -1.0]]]",
            help="JSON nested lists [B][T][V], what NumPy prints, or one line of V numbers per timestep.",
            persist_state="session",
        )
