"""The question of the page Identify: the printed number, how the loop is set up, and a second batch."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from lossviz.batch import Batch
from lossviz.digits import is_number, numbers_in
from lossviz.identification import PRECISIONS
from lossviz.samples import SAMPLES, load_sample
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.loop_options import LISTS, NO_LIST

__all__ = ["NUMBER", "OTHER", "OTHER_NUMBER", "SET_UP", "Question", "question_panel"]

NUMBER, OTHER, OTHER_NUMBER = "identify_number", "identify_other", "identify_other_number"
CLASS_WEIGHTS = "identify_class_weights"
SET_UP = {
    "accumulation_steps": ("Accumulation steps", "Micro-batches that the loop adds up before it steps.", 1, 1, None),
    "world_size": ("World size", "Processes that train together.", 1, 1, None),
    "max_length": ("Constant length L_max", "What the loop divides by for each sequence, if not by T.", 1, 1, None),
    "smoothing": ("Label smoothing ε", "What the loss is smoothed with, such as 0.1.", 0.05, 0.0, 1.0),
    "accuracy": ("Accuracy", "The accuracy that was printed beside the loss, from 0 to 1.", 0.05, 0.0, 1.0),
}


@dataclass(frozen=True)
class Question:
    """What is asked of a batch.

    Attributes:
        reported: the numbers as they were printed: one, or one a sequence or timestep.
        options: how the loop is set up, as `identify` takes it.
        other: a second batch of the same loop, or None; `other_reported`: its numbers.
        wrong: what was typed that is no number where one should be, in a sentence, or "".
    """

    reported: tuple[str, ...]
    options: tuple[tuple[str, Any], ...] = ()
    other: Batch | None = field(default=None, hash=False)
    other_reported: tuple[str, ...] = ()
    wrong: str = ""


def question_panel(state: State) -> Question:
    """Draw what can be asked; returns what is."""
    source = state.source
    with st.container(key="identify_question"):
        number, set_up, other = st.columns([2.4, 1, 1], vertical_alignment="bottom")
        with number:
            text = _number(state, source)
        with set_up.popover("How the loop is set up", width="stretch"):
            options, weights = _set_up(), _class_weights()
        with other.popover("A second batch", width="stretch"):
            batch, printed = _other(state)
        _said((*options, ("class_weights", len(weights) or None)), batch, printed)
    reported = numbers_in(text)
    wrong = _wrong("This is", reported) or _wrong("The second batch's loss is", printed)
    if not all(map(is_number, weights)):
        wrong = wrong or NO_LIST.format(LISTS["class_weights"][0])
    if weights and not wrong:
        options = (*options, ("class_weights", tuple(map(float, weights))))
    return Question(reported, options, batch if printed else None, printed, wrong)


def _wrong(this_is: str, words: tuple[str, ...]) -> str:
    word = next((word for word in words if not is_number(word)), "")
    way = "Write it with a decimal point" if "," in word else "Leave out units and words"
    return f"{this_is} no number: {word:.40}. {way}, as in 1.2545." if word else ""


def _number(state: State, source: Source | None) -> str:
    """The field for what the loop printed: what was typed for this batch before, else what the batch says itself."""
    said = read_widget(NUMBER) or ""  # of a link
    if source is not None:
        said = (said or source.current.reported or "") if source.printed is None else source.printed
    editor = state.editors.draw(NUMBER, source, {NUMBER: said})
    text = st.text_input(
        "The loss that your loop printed for this batch",
        value=editor.shown[NUMBER],
        key=editor.key,
        on_change=partial(_save_number, editor),
        placeholder="1.2545",
        help="With all the digits that were printed. Several numbers where the loop prints one a sequence or one a "
        "timestep: 1.36, 0.60, 2.30.",
    )
    write_widget(NUMBER, None)
    if source is not None and (said or source.printed is not None):
        source.tell(said)
    return text or ""


def _save_number(editor: Editor) -> None:
    """Take what was typed as the number of the batch that the field was drawn for; a callback."""
    text = read_widget(editor.key) or ""
    if editor.is_typed(NUMBER, text):
        editor.held[NUMBER] = text
        if editor.target is not None:
            editor.target.tell(text)


def _set_up() -> tuple[tuple[str, Any], ...]:
    said: dict[str, Any] = {}
    for name, (label, help_text, step, low, high) in SET_UP.items():
        said[name] = st.number_input(
            label,
            min_value=low,
            max_value=high,
            value=None,
            step=step,
            key=f"identify_{name}",
            placeholder="not said",
            help=help_text,
            persist_state="session",
        )
    said["precision"] = st.selectbox(
        "Precision",
        list(PRECISIONS),
        key="identify_precision",
        help="What the loop computes the loss in: it says how far a formula may lie from the printed number.",
        persist_state="session",
    )
    return tuple(said.items())


def _class_weights() -> tuple[str, ...]:
    text = st.text_input(
        "Class weights",
        key=CLASS_WEIGHTS,
        placeholder="1, 1, 0.5, …",
        help="What the loop multiplies the loss of each class by, one number for each class.",
        persist_state="session",
    )
    return numbers_in(text or "")


def _other(state: State) -> tuple[Batch | None, tuple[str, ...]]:
    """A second batch of the same loop: what explains both numbers is less often an accident."""
    opened = {f"{door}: {name}": source for (door, name), source in state.sources.items() if source is not state.source}
    samples = {f"sample: {sample.name}": sample.name for sample in SAMPLES}
    shown = state.source
    here = f"{shown.door}: {shown.name}" if shown else ""
    names = [name for name in {**opened, **samples} if name != here]
    if read_widget(OTHER) is not None and read_widget(OTHER) not in names:
        write_widget(OTHER, None)
    name = st.selectbox(
        "Batch",
        names,
        index=None,
        key=OTHER,
        placeholder="none",
        help="Another batch of the same loop: only what explains both numbers is shown.",
        persist_state="session",
    )
    text = st.text_input("Its printed loss", key=OTHER_NUMBER, placeholder="1.137", persist_state="session")
    printed = numbers_in(text or "")
    if name is None:
        return None, printed
    return opened[name].current if name in opened else _sample(samples[name]), printed


@st.cache_resource(max_entries=4, show_spinner=False)
def _sample(name: str) -> Batch:
    return Batch.from_arrays(**load_sample(name))


def _said(options: tuple[tuple[str, Any], ...], batch: Batch | None, printed: tuple[str, ...]) -> None:
    """Say in a line what the closed panels hold."""
    words = [f"{SET_UP[name][0].lower()} {value:g}" for name, value in options if name in SET_UP and value is not None]
    words += [f"{value} class weights" for name, value in options if name == "class_weights" and value is not None]
    words += [f"{value} precision" for name, value in options if name == "precision" and value != "float32"]
    if batch is not None:
        words.append("a second batch" + ("" if printed else ", whose number is missing"))
    elif printed:
        words.append("the number of a second batch, which is not chosen")
    if words:
        st.caption("With " + ", ".join(words))
