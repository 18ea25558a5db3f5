"""The question of the page Identify: the printed number, how the loop is set up, and a second batch."""

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import streamlit as st

from lossviz.batch import Batch
from lossviz.digits import is_number, numbers_in
from lossviz.identification import ACCURACY, PRECISIONS
from lossviz.reductions import LOOP_OPTIONS, LoopOption
from lossviz.samples import SAMPLES, load_sample
from lossviz.ui.session.editor import Editor
from lossviz.ui.session.link_checks import Links, is_text, of_options, one_of
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget, write_widget
from lossviz.ui.shared.loop_options import option_fields

__all__ = ["LINKED", "NUMBER", "OTHER", "OTHER_NUMBER", "SET_UP", "Question", "question_panel"]

NUMBER, OTHER, OTHER_NUMBER = "identify_number", "identify_other", "identify_other_number"
SET_UP = (*LOOP_OPTIONS, ACCURACY)
"""What can be said of the loop beside the number."""
LINKED: Links = {
    **dict.fromkeys((NUMBER, OTHER, OTHER_NUMBER), is_text),
    **of_options("identify_", SET_UP),
    "identify_precision": one_of(PRECISIONS),
}


@dataclass(frozen=True)
class Question:
    """What is asked of a batch.

    Attributes:
        reported: the numbers as they were printed: one, or one per sequence or timestep.
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
        with set_up.popover("How the loop is set up", width="stretch", wrap=True):
            options, wrongly_typed = _set_up()
        with other.popover("A second batch", width="stretch", wrap=True):
            batch, printed = _other(state)
        _said(dict(options), batch, printed)
    reported = numbers_in(text)
    wrong = _wrong("This is", reported) or _wrong("The second batch's loss is", printed) or wrongly_typed
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
        help="With all the digits that were printed. Several numbers where the loop prints one per sequence or "
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


def _set_up() -> tuple[tuple[tuple[str, Any], ...], str]:
    """Draw how the loop is set up; returns what was given, and why something can't be read, or ""."""
    given, wrong = option_fields(SET_UP, "identify_", empty="not given")
    given["precision"] = st.selectbox(
        "Precision",
        list(PRECISIONS),
        key="identify_precision",
        help="What the loop computes the loss in: it says how far a formula may lie from the printed number.",
        persist_state="session",
    )
    return tuple(given.items()), next(iter(wrong.values()), "")


def _other(state: State) -> tuple[Batch | None, tuple[str, ...]]:
    """A second batch of the same loop: what explains both numbers is less often an accident."""
    opened = {f"{door}: {name}": source for (door, name), source in state.sources.items() if source is not state.source}
    samples = {f"sample: {sample.name}": sample.name for sample in SAMPLES}
    on_screen = state.source
    here = f"{on_screen.door}: {on_screen.name}" if on_screen else ""
    names = [name for name in {**opened, **samples} if name != here]
    if read_widget(OTHER) is not None and read_widget(OTHER) not in names:
        write_widget(OTHER, None)
    editor = state.choice(OTHER, words=tuple(names))
    shown = editor.shown[OTHER]
    name = st.selectbox(
        "Batch",
        names,
        index=None if shown is None else names.index(shown),
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        placeholder="none",
        help="Another batch of the same loop: only what explains both numbers is shown.",
    )
    state.take_reconnected(editor)
    text = st.text_input("Its printed loss", key=OTHER_NUMBER, placeholder="1.137", persist_state="session")
    printed = numbers_in(text or "")
    if name is None:
        return None, printed
    return opened[name].current if name in opened else _sample(samples[name]), printed


@st.cache_resource(max_entries=4, show_spinner=False)
def _sample(name: str) -> Batch:
    return Batch.from_arrays(**load_sample(name))


def _said(options: dict[str, Any], batch: Batch | None, printed: tuple[str, ...]) -> None:
    """Say in a line what the closed panels hold."""
    words = [_in_words(option, options[option.name]) for option in SET_UP if option.name in options]
    if options["precision"] != "float32":
        words.append(f"{options['precision']} precision")
    if batch is not None:
        words.append("a second batch" + ("" if printed else ", whose number is missing"))
    elif printed:
        words.append("the number of a second batch, which is not chosen")
    if words:
        st.caption("With " + ", ".join(words))


def _in_words(option: LoopOption, value: Any) -> str:
    """An option with its value: of a list how many numbers it has.

    >>> _in_words(LOOP_OPTIONS[0], 2), _in_words(LOOP_OPTIONS[4], (1.0, 0.5))
    ('accumulation steps 2', '2 class weights')
    """
    label = option.label[0].lower() + option.label[1:]
    return f"{len(value)} {label}" if option.kind == "per_class" else f"{label} {value:g}"
