"""The doors through which a batch comes in: a sample, a file, typed text, a model. All end at `Batch.from_arrays`."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from lossviz.errors import LossvizError, NamesError
from lossviz.formats import READABLE
from lossviz.layouts import batch_of
from lossviz.recording import is_run
from lossviz.reductions import reduction_named
from lossviz.runs import open_run
from lossviz.settings import FILE_VARIABLE, MASKS
from lossviz.ui.session.default_reduction import AS_IT_COMES, Choices, recorded_with, trained_with
from lossviz.ui.session.link_checks import Links, one_of
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, default_widget, read_widget, write_widget
from lossviz.ui.shared.selectbox import select
from lossviz.ui.shared.widgets import escaped, literal, say
from lossviz.ui.sources.assumptions_panel import assumptions_panel
from lossviz.ui.sources.opened_file import TABLES, Origin, name_of, read_origin
from lossviz.ui.sources.rename_dialog import ask_names
from lossviz.ui.sources.rule_samples import DOOR_SAMPLES, sample_batch
from lossviz.ui.sources.sample_choice import choose_sample
from lossviz.ui.sources.sentences import sentences_door
from lossviz.ui.sources.step_picker import step_picker
from lossviz.ui.sources.typed import typed_door

__all__ = ["FILE_VARIABLE", "LINKED", "doors"]

SUFFIXES = [suffix.removeprefix(".") for suffix in READABLE]


def doors(state: State) -> None:
    """Let the user choose a batch; puts it into the state, or says in one sentence why it can't be read."""
    if not state.started and FILE_VARIABLE in os.environ:
        for path in os.environ[FILE_VARIABLE].splitlines():
            _open_path(state, Path(path))
    state.started = True
    if state.wanted:
        write_widget("door", "Open")
        write_widget(f"opened_{state.opened}", state.wanted)
        state.wanted = ""
    editor = state.choice("door", "Sample")
    door = st.segmented_control(
        "Batch from",
        list(_DOORS),
        default=editor.shown["door"],
        required=True,
        key=editor.key,
        on_change=partial(state.take_choice, editor),
        help="A recorded sample, a file that your training loop wrote, sequences that you type, or what a model "
        "predicts for your own sentences.",
    )
    state.take_reconnected(editor)
    _DOORS[door or "Sample"](state)
    _choose_as_it_opens(state)


def _choose_as_it_opens(state: State) -> None:
    """A new batch opens with its own mask and reduction; what was chosen before is one click away."""
    if state.source is None:
        return
    now = Choices(*(read_widget(name, getattr(AS_IT_COMES, name)) for name in Choices._fields))
    opening, source = state.opening, state.source
    wanted = opening.choices((source.door, source.series or source.name), source.reduction, now)
    if wanted != now:
        _choose(wanted)
    if wanted == opening.opened and opening.own not in (opening.opened, AS_IT_COMES):
        with st.container(key="own_choices"):
            st.caption(f"Opened as it comes. Before, you had chosen: {_in_words(opening.own, opening.opened)}.")
            key = state.editors.draw("choose_again", opening.own, {}).key
            st.button("Choose that again", key=key, on_click=partial(_choose, opening.own))


def _choose(choices: Choices) -> None:
    for name, value in choices._asdict().items():
        write_widget(name, value)


def _in_words(choices: Choices, other: Choices) -> str:
    """What differs from the other choices, as the selectors call it."""
    words = []
    if choices.mask != other.mask:
        words.append({"declared": "the mask of the batch", **MASKS}[choices.mask])
    if choices.reduction != other.reduction:
        words.append(reduction_named(choices.reduction).title)
    return escaped("; ".join(words))


def _sample_door(state: State) -> None:
    name = choose_sample(state)
    known = state.known("sample", name)
    lesson = DOOR_SAMPLES[name].lesson
    state.show(known or Source("sample", name, sample_batch(name), lesson, reduction=trained_with(name)))
    st.caption(literal(lesson))


def _file_door(state: State) -> None:
    chosen = st.container()  # stands first, and is drawn last: an upload may add to it
    files = st.file_uploader(
        "Open a batch",
        type=SUFFIXES,
        accept_multiple_files=True,
        key="files",
        help="One file with `logits`, `targets` and `lengths` or `weights`, or several .npy files together. "
        "Up to 200 MB; a larger file opens by its path: `lossviz app FILE`.",
    )
    marks = tuple(file.file_id for file in files)
    if marks != state.uploaded:
        new = [file for file in files if file.file_id not in state.uploaded]
        state.uploaded, state.unmapped = marks, None
        state.complaint = " ".join(filter(None, [_open_upload(state, group) for group in _groups(files, new)]))
    if state.complaint:
        say("error", state.complaint)
    if state.unmapped is not None:
        _offer_mapping(state)
    with chosen:
        _choose_opened(state)


def _choose_opened(state: State) -> None:
    """Choose among the files and runs of this session, and of a run a step."""
    opened = {name: source for (door, name), source in state.sources.items() if door == "file"}
    if not state.runs and not opened:
        if not state.complaint:
            st.caption(
                "No file yet: the batch on screen stays. `np.savez('batch.npz', logits=…, targets=…, lengths=…)`"
            )
        return
    names = {name: name for name in (*reversed(opened), *state.runs)}
    about = "Files of this session, the newest first, and recorded runs."
    name = select(state, f"opened_{state.opened}", "Opened", names, about=about)
    if name in state.runs:
        step_picker(state, state.runs[name])
    else:
        state.show(opened[name])
        assumptions_panel(opened[name], partial(_read_again, state, opened[name]))


def _groups(files: list[UploadedFile], new: list[UploadedFile]) -> list[dict[str, bytes]]:
    """What belongs together: all .npy files, and each new file of another kind by itself."""
    alone = [file for file in new if not file.name.lower().endswith(".npy")]
    parts = {file.name: file.getvalue() for file in files if file.name.lower().endswith(".npy")}
    return [*([parts] if len(alone) < len(new) else []), *({file.name: file.getvalue()} for file in alone)]


def _open_upload(state: State, files: dict[str, bytes]) -> str:
    """Open files that belong together; returns why that can't be, or ""."""
    name = name_of(files)
    try:
        _keep(state, files)
    except NamesError as error:
        state.unmapped = (error, files)
        return _without_code(error)
    except LossvizError as error:
        return f"{name}: {error}"
    return ""


def _open_path(state: State, path: Path) -> None:
    default_widget("door", "Open")
    try:
        if is_run(path):
            run = open_run(path)
            state.runs[str(path) if run.name in state.runs else run.name] = run
        else:
            _keep(state, path)
    except NamesError as error:
        state.unmapped, state.complaint = (error, path), _without_code(error)
    except LossvizError as error:
        state.complaint = str(error)


def _keep(state: State, origin: Origin, names: dict[str, str] | None = None, **choices: Any) -> None:
    name, reading = name_of(origin), read_origin(origin, names, **choices)
    batch = batch_of(reading)
    chosen = choices if names is None else {**choices, "names": names}
    made = Source("file", name, batch, reduction=recorded_with(batch), reading=reading, origin=origin, choices=chosen)
    state.sources.pop(("file", name), None)
    state.unmapped, state.complaint = None, ""
    state.opened += 1
    state.show(made)


def _read_again(state: State, source: Source, *, raising: bool = False, **choices: Any) -> None:
    """Read an opened file differently; if that fails, say why and keep the batch."""
    try:
        _keep(state, source.origin, **choices)
    except LossvizError as error:
        if raising:
            raise
        state.complaint = f"{source.name}: {error}"
    else:
        if source.printed is not None:
            known = state.known("file", source.name)
            if known is not None:
                known.tell(source.printed)


def _offer_mapping(state: State) -> None:
    error, origin = state.unmapped
    answer = partial(_keep, state, origin)
    if st.button("Say which array is which", key="map", type="primary"):
        ask_names(error.arrays, answer, table=name_of(origin).lower().endswith(TABLES))


def _without_code(error: NamesError) -> str:
    """The sentence without its advice for callers of `read`: the app has a dialog for that."""
    return str(error).partition(" Pass `names=")[0]


_DOORS: dict[str, Callable[[State], None]] = {
    "Sample": _sample_door,
    "Open": _file_door,
    "Type": typed_door,
    "Model": sentences_door,
}

LINKED: Links = {"door": one_of(_DOORS)}
