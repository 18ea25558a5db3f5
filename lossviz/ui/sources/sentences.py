"""The fourth door: the user's own sentences, as the padded batch that one of the models sees."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lossviz.batch import Batch
from lossviz.errors import InputError, LossvizError
from lossviz.figures import visible
from lossviz.ui.session.default_reduction import TRAINED_WITH
from lossviz.ui.session.link_checks import Links, is_text, one_of
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, default_widget
from lossviz.ui.shared.computation import load_engine
from lossviz.ui.shared.widgets import say

__all__ = ["KINDS_OF_MODEL", "LABELS", "LINKED", "STAGES", "KindOfModel", "sentence_batch", "sentences_door"]

STAGES = {"untrained": "Untrained", "half-trained": "Half-trained", "trained": "Trained"}
LABELS = {"praise": 1, "good": 1, "1": 1, "blame": 0, "bad": 0, "0": 0}
MOST_LINES, MOST_NAMED, MOST_WORDS = 64, 5, 64
UNKNOWN_ID = 1
_ARROW = re.compile(r"\s*(?:->|=>|→|⟶)\s*")
_EDGES = re.compile(r"^\W+|\W+$")
Line = tuple[int, str]  # its number, from 1, and what stands in it


@dataclass(frozen=True)
class KindOfModel:
    """A model that reads what the user types.

    Attributes:
        title: as the screen calls it; `example`: what stands in the field at first; `help`: how to type.
        arguments: the lines as the arguments of `model.record`.
        size: how much of a line the model reads, how much it can, and what of.
        unknown: which parts of the lines it has never seen.
    """

    title: str
    example: str
    help: str
    arguments: Callable[[Sequence[Line]], tuple[list[Any], ...]]
    size: Callable[[Any, str], tuple[int, int, str]]
    unknown: Callable[[Any, Batch, Sequence[str]], Iterable[str]]


def sentences_door(state: State) -> None:
    """Draw the fields and put the batch on the screen; a text that can't be read keeps the last one there."""
    name, stage, text = _fields()
    typed, known = (name, stage, text), state.known("sentences", name)
    try:
        if known is None or known.made_from != typed:
            batch, remark = sentence_batch(name, stage, text)
            made = Source("sentences", name, batch, remark, made_from=typed, reduction=TRAINED_WITH[name])
            state.replace(made)
            known = made
    except LossvizError as error:
        say("error", str(error))
        st.caption("The batch on screen stays." if known is None else "On screen: the last text that could be read.")
    if known is not None:
        state.show(known)
        if known.made_from == typed and known.lesson:
            say("info", known.lesson)


def sentence_batch(name: str, stage: str, text: str) -> tuple[Batch, str]:
    """The padded batch that a model sees of the lines of a text, and which words it does not know, in words or "".

    Args:
        name: one of `KINDS_OF_MODEL`.
        stage: one of `STAGES`.
        text: one sequence a line; lines without anything are left out.

    Raises:
        InputError: in one sentence, which line can't be read, and why.
    """
    kind, lines = KINDS_OF_MODEL[name], _lines(text)
    arguments = kind.arguments(lines)
    load_engine()
    model = _model(name, stage)
    for number, line in lines:
        read, most, unit = kind.size(model, line)
        if read > most:
            raise InputError(f"Line {number} has {read:,} {unit}; the model reads {most:,} at most. Shorten it.")
        if read == 0:
            raise InputError(f"Line {number} has none of the model's {unit}. Type some, or empty it.")
    batch = model.record(*arguments).replace(title=f"{kind.title}, {STAGES[stage].lower()}: own sentences")
    return batch, _remark(list(dict.fromkeys(kind.unknown(model, batch, [line for _, line in lines]))))


@st.cache_resource(show_spinner="Loading the model.")
def _model(name: str, stage: str) -> Any:
    from lossviz.models.trained import load_trained

    return load_trained(name, stage)


def _fields() -> tuple[str, str, str]:
    default_widget("sentences_model", next(iter(KINDS_OF_MODEL)))
    default_widget("sentences_stage", "trained")
    name = st.selectbox(
        "Model",
        list(KINDS_OF_MODEL),
        format_func=lambda name: KINDS_OF_MODEL[name].title,
        key="sentences_model",
        help="A language model of characters, an encoder-decoder that writes dates as ISO 8601, and a classifier "
        "of reviews; what each can do is in docs/models.md.",
        persist_state="session",
    )
    stage = st.selectbox(
        "How far it is trained",
        list(STAGES),
        format_func=STAGES.__getitem__,
        key="sentences_stage",
        help="The same model at three moments of its training; untrained it has random weights from a seed.",
        persist_state="session",
    )
    kind = KINDS_OF_MODEL[name]
    default_widget(f"sentences_{name}", kind.example)
    text = st.text_area(
        "Your own sentences, one per line",
        key=f"sentences_{name}",
        height=150,
        help=kind.help,
        persist_state="session",
    )
    return name, stage, text


def _lines(text: str) -> list[Line]:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise InputError("No sentence was typed. Write one per line.")
    if len(lines) > MOST_LINES:
        raise InputError(f"At most {MOST_LINES} sentences make a batch here; got {len(lines)}. Take some out.")
    return lines


def _remark(unknown: list[str]) -> str:
    if not unknown:
        return ""
    named = ", ".join(f"“{visible(piece[:30])}”" for piece in unknown[:MOST_NAMED])
    return f"Unknown to the model and read as <unk>: {named}{', …' if unknown[MOST_NAMED:] else '.'}"


def _sentences(lines: Sequence[Line]) -> tuple[list[Any], ...]:
    return ([line for _, line in lines],)


def _pairs(lines: Sequence[Line]) -> tuple[list[Any], ...]:
    """Source and target; a source alone where there is no arrow."""
    pairs: list[Any] = []
    for number, line in lines:
        source, *targets = _ARROW.split(line)
        if len(targets) > 1 or not source or not all(targets):
            raise InputError(
                f"Line {number} must be a date, or a date and what it should become with one `->` between them; "
                f"got “{line:.40}”."
            )
        pairs.append((source, targets[0]) if targets else source)
    return (pairs,)


def _labelled(lines: Sequence[Line]) -> tuple[list[Any], ...]:
    texts, labels = [], []
    for number, line in lines:
        text, *said = _ARROW.split(line)
        label = said[-1].lower().rstrip(".") if said else ""
        if not text or len(said) != 1 or label not in LABELS:
            raise InputError(f"Line {number} needs its label: write `-> praise` or `-> blame` after the review.")
        texts.append(text)
        labels.append(LABELS[label])
    return texts, labels


def _characters(model: Any, line: str) -> tuple[int, int, str]:
    return len(line), model.max_length - 1, "characters"  # one timestep is the start


def _unknown_characters(_: Any, batch: Batch, texts: Sequence[str]) -> Iterable[str]:
    known = {*(batch.vocabulary or ()), " "}
    return (mark for text in texts for mark in text if mark not in known)


def _words(model: Any, line: str) -> tuple[int, int, str]:
    """Measures the longer side of an arrow: a decoder takes one step for each token that it must write."""
    read = [len(ids) for ids in model.tokenizer.ids(_ARROW.split(line))]
    return max(read) if read[0] else 0, getattr(model, "max_length", MOST_WORDS), "words"


def _unknown_words(model: Any, _: Batch, texts: Sequence[str]) -> Iterable[str]:
    sides = [_ARROW.split(text) for text in texts]
    # A label is no word of a review.
    parts = [part for side in sides for part in (side[:1] if side[-1].lower().rstrip(".") in LABELS else side)]
    pieces = [piece for part in parts for piece in part.split()]
    read = model.tokenizer.ids(pieces)
    unknown = (piece for piece, ids in zip(pieces, read, strict=True) if UNKNOWN_ID in ids)
    return (_EDGES.sub("", piece) or piece for piece in unknown)


KINDS_OF_MODEL = {
    "language-model": KindOfModel(
        "Language model by characters",
        "The cat sat on the mat.\nCuriouser and curiouser!\nqzxj kwv",
        "Each line is a sequence: the model reads its characters and must predict the next one, at the end the stop.",
        _sentences,
        _characters,
        _unknown_characters,
    ),
    "dates": KindOfModel(
        "Encoder-decoder for dates",
        "the third of May 2004 -> 2004-05-03\nMonday, 31 October 1988 -> 1988-10-31\nFeb 1974 -> 1974-03",
        "Each line is a date, `->`, and what the decoder must write. Without an arrow, it must write its own answer.",
        _pairs,
        _words,
        _unknown_words,
    ),
    "reviews": KindOfModel(
        "Text classifier",
        "I loved every minute. -> praise\nThe film was dull. We left at ten. -> blame\nNot bad at all! -> praise",
        "Each line is a review, and `-> praise` or `-> blame`: its label, 1 or 0.",
        _labelled,
        _words,
        _unknown_words,
    ),
}
"""The models that the app offers, by the name that `load_trained` knows."""

LINKED: Links = {
    "sentences_model": one_of(KINDS_OF_MODEL),
    "sentences_stage": one_of(STAGES),
    **{f"sentences_{model}": is_text for model in KINDS_OF_MODEL},
}
