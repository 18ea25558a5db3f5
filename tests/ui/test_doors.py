"""Opening files: every format, other names, and bad files, which are one sentence and leave the batch on screen."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossviz import formats
from tests.ui.driver import (
    choose,
    click,
    counting,
    door,
    edit_length,
    key_of,
    number,
    open_app,
    run,
    select,
    shown,
    state,
    texts,
    upload,
)

UNIFORM = f"{np.log(4):.4f}"
RECORDED = "1.6970"
FIELDS = {
    "logits": np.zeros((2, 3, 4), np.float32),
    "targets": np.array([[1, 2, 3], [1, 0, 0]]),
    "lengths": np.array([3, 1]),
}


def encoded(name: str, **changes: Any) -> bytes:
    stream = io.BytesIO()
    formats.write({**FIELDS, **changes}, stream, name)
    return stream.getvalue()


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def drop(app: Any, **files: bytes) -> Any:
    return upload(app, **files)


def answer(app: Any) -> Any:
    """Press Open in the dialog. A browser runs only the dialog then; here the button that opened it is pressed too."""
    app.button(key="map").click()
    return click(app, "map_open")


def opened() -> Any:
    return door(open_app(), "Open")


def test_empty_door_says_what_to_do_and_keeps_the_batch() -> None:
    app = opened()
    assert number(app) == RECORDED
    assert texts(app, "caption")[-1] == (
        "No file yet: the batch on screen stays. `np.savez('batch.npz', logits=…, targets=…, lengths=…)`"
    )


@pytest.mark.parametrize("name", ["npz", "json", "csv", "parquet", "safetensors"])
def test_file_of_each_format_opens(name: str) -> None:
    app = drop(opened(), **{f"run_{name}": encoded(name)})
    assert texts(app, "error") == []
    assert (number(app), counting(app)) == (UNIFORM, "4 of 6")
    assert app.selectbox(key=key_of(app, "opened_1")).value == f"run.{name}"


def test_npy_files_open_together() -> None:
    files = {f"{name}_npy": npy(array) for name, array in FIELDS.items()}
    app = drop(opened(), **files)
    assert (texts(app, "error"), number(app)) == ([], UNIFORM)
    assert app.selectbox(key=key_of(app, "opened_1")).value == "logits.npy + targets.npy + lengths.npy"


def test_npy_files_may_come_one_by_one() -> None:
    """What is missing is said until all are there."""
    app = opened()
    dropped = []
    for name, array in FIELDS.items():
        dropped.append((f"{name}.npy", npy(array), ""))
        run(app.file_uploader(key="files").set_value(dropped))
    assert (number(app), counting(app)) == (UNIFORM, "4 of 6")


def test_files_of_other_kinds_open_each_by_itself() -> None:
    """Also beside one that is there already; a bad one among them is said, and the good ones open."""
    good, other = encoded("npz"), encoded("json", logits=np.zeros((2, 3, 7), np.float32))
    app = drop(opened(), a_npz=good, bad_csv=b"hello", b_json=other)
    assert [name for door, name in state(app).sources if door == "file"] == ["a.npz", "b.json"]
    assert number(app) == f"{np.log(7):.4f}"
    [sentence] = texts(app, "error")
    assert "bad.csv" in sentence
    assert app.selectbox(key=key_of(app, "opened_2")).options == ["b.json", "a.npz"]


def bomb() -> bytes:
    """Zeros of 1.1 GB in a few MB, under the name of an array."""
    stream = io.BytesIO()
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (1000, 1000, 275)})
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("logits.npy", "w") as member,
    ):
        member.write(head.getvalue())
        for _ in range(550):
            member.write(bytes(2_000_000))
    return stream.getvalue()


BAD: dict[str, tuple[str, Any]] = {
    "truncated": ("run_npz", lambda: encoded("npz")[:-60]),
    "empty": ("run_npz", lambda: b""),
    "a pickle": ("run_npy", lambda: pickle.dumps([1, 2])),
    "an object array": ("run_npz", lambda: npz(logits=np.array([None], object), targets=FIELDS["targets"])),
    "a zip bomb": ("run_npz", bomb),
    "a wrong suffix": ("run_npz", lambda: encoded("json")),
    "JSON that is none": ("run_json", lambda: b'{"logits": [[[1, 2'),
    "JSON cut to ragged lists": ("run_json", lambda: b'{"logits": [[[1, 2], [3]]], "targets": [[0, 1]]}'),
    "CSV with missing cells": ("run_csv", lambda: b"sequence,timestep,class,logit,target\n0,0,0,1.5,1\n0,0,1,,1\n"),
    "safetensors that are none": ("run_safetensors", lambda: b"\xff" * 40),
    "Parquet that is none": ("run_parquet", lambda: b"PAR1 and nothing else PAR1"),
    "integer logits": ("run_npz", lambda: npz(**{**FIELDS, "logits": np.zeros((2, 3, 4), int)})),
    "weights of one column": ("run_npz", lambda: npz(**FIELDS, weights=np.ones((2, 1)))),
    "flat weights": ("run_npz", lambda: npz(**FIELDS, weights=np.ones(6))),
}
SENTENCES = {
    "empty": "run.npz: `run.npz` is empty. Save or copy it again.",
    "integer logits": (
        "run.npz: `logits` must be floating point (float16, bfloat16, float32 or float64); got int64. If these are "
        "scores, pass `logits.astype('float32')`; if they are token ids, they belong in `targets`."
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_one_sentence_and_the_batch_stays(case: str) -> None:
    """No traceback; the batch that was on screen and the edits made to it are still there."""
    app = drop(opened(), good_npz=encoded("npz"))
    edit_length(app, 0, 2)
    name, content = BAD[case]
    drop(app, **{name: content()})
    [sentence] = texts(app, "error")
    assert sentence.startswith((name.replace("_", ".") + ": ", "`"))
    assert sentence[-1] in ".)"
    assert SENTENCES.get(case, sentence) == sentence
    assert (number(app), counting(app)) == (UNIFORM, "3 of 6")
    assert list(state(app).sources) == [("sample", "alice-trained"), ("file", "good.npz")]


def assumed(app: Any) -> list[str]:
    """The captions of the sidebar that say how the file was read."""
    return [caption for caption in texts(app, "caption") if caption.startswith("Read as ")]


def test_hugging_face_file_opens_shifted_and_says_so() -> None:
    """Labels are unshifted and −100 is ignored: 3 of 4 are left; a button takes the shift back."""
    labels = np.array([[1, 2, 3], [1, 0, -100]])
    mask = np.array([[1, 1, 1], [1, 1, 0]])
    app = drop(
        opened(), run_npz=npz(logits=FIELDS["logits"], labels=labels, input_ids=abs(labels), attention_mask=mask)
    )
    assert (texts(app, "error"), number(app), counting(app)) == ([], UNIFORM, "3 of 4")
    [sentence] = assumed(app)
    assert sentence.startswith("Read as Hugging Face: labels are unshifted, so logits are compared with the next label")
    click(app, "read_shift")
    assert (texts(app, "error"), number(app), counting(app)) == ([], UNIFORM, "5 of 6")


def hugging_face() -> bytes:
    labels = np.array([[1, 2, 3], [1, 0, -100]])
    mask = np.array([[1, 1, 1], [1, 1, 0]])
    return npz(logits=FIELDS["logits"], labels=labels, input_ids=abs(labels), attention_mask=mask)


def test_every_assumption_has_a_button_and_a_way_back() -> None:
    """Choices add up; what the arrays are is asked again; and one button forgets all of it."""
    app = drop(opened(), run_npz=hugging_face())
    labels = [button.label for button in app.button if str(button.key).startswith("read_")]
    assert labels == [
        "Do not shift",
        "Weigh the loss by attention_mask",
        "Take the arrays as they are",
        "Ids and names",
    ]
    click(app, "read_weights")
    click(app, "read_shift")
    assert (state(app).source.choices, counting(app)) == ({"weights": "attention_mask", "shift": False}, "5 of 6")
    click(app, "read_layout")
    assert (texts(app, "error"), state(app).source.choices) == ([], {"layout": "plain"})
    assert counting(app) == "6 of 6"
    assert [assumption for assumption in assumed(app) if "shift" in assumption] == []
    click(app, "read_back")
    assert (state(app).source.choices, texts(app, "error"), counting(app)) == ({}, [], "3 of 4")
    assert assumed(app)[0].startswith("Read as Hugging Face: ")


def answer_again(app: Any, **ids: int | None) -> Any:
    """Open the dialog of ids and names, type ids, press Open."""
    click(app, "read_names")
    for name, value in ids.items():
        app.number_input(key=f"map_{name}").set_value(value)
    app.button(key="read_names").click()
    return click(app, "map_open")


def test_ids_are_asked_for_in_the_dialog_and_taken_back() -> None:
    app = drop(opened(), run_npz=npz(logits=FIELDS["logits"], targets=np.array([[1, 2, 3], [1, 0, 0]])))
    assert counting(app) == "6 of 6"
    answer_again(app, pad_id=0, eos_id=3)
    assert (counting(app), shown(app).mask_name, shown(app).batch.eos_id) == ("4 of 6", "nonpad", 3)
    answer_again(app, ignore_id=1)
    assert (counting(app), state(app).source.choices) == ("4 of 6", {"pad_id": 0, "eos_id": 3, "ignore_id": 1})
    click(app, "read_back")
    assert (counting(app), state(app).source.choices) == ("6 of 6", {})


def test_names_of_an_opened_file_can_be_said_again() -> None:
    other = np.where(np.arange(4) == 1, np.float32(2), np.float32(0)) * np.ones((2, 3, 1), np.float32)
    app = drop(opened(), run_npz=npz(**FIELDS, more=other))
    click(app, "read_names")
    assert app.selectbox(key="map_logits").value == "logits"
    app.selectbox(key="map_logits").select("more")
    app.button(key="read_names").click()
    click(app, "map_open")
    assert texts(app, "error") == []
    assert number(app) != UNIFORM
    assert state(app).source.choices["names"]["logits"] == "more"


def test_a_table_is_asked_for_ids_alone() -> None:
    app = drop(opened(), run_csv=encoded("csv"))
    click(app, "read_names")
    assert [box.key for box in app.selectbox if str(box.key).startswith("map_")] == []
    answer_again(app, eos_id=2)
    assert (shown(app).batch.eos_id, state(app).source.choices) == (2, {"eos_id": 2})


def test_a_choice_that_does_not_fit_is_a_sentence_and_the_batch_stays() -> None:
    app = drop(opened(), run_npz=hugging_face())
    click(app, "read_names")
    app.selectbox(key="map_logits").select("input_ids")
    app.button(key="read_names").click()
    click(app, "map_open")
    assert len(texts(app, "error")) == 1
    assert (state(app).source.choices, counting(app)) == ({}, "3 of 4")


def test_an_answer_of_a_server_opens_and_says_what_was_assumed() -> None:
    logprobs = {"tokens": ["The", " cat", " sat"], "token_logprobs": [None, -1.5, -0.25]}
    document = json.dumps({"choices": [{"text": "The cat sat", "logprobs": logprobs}]}).encode()
    app = drop(opened(), answer_json=document)
    assert (texts(app, "error"), number(app), counting(app)) == ([], f"{1.75 / 2:.4f}", "2 of 3")
    [sentence] = assumed(app)
    assert sentence == (
        "Read as OpenAI completions: choices[].logprobs holds the log-probabilities of 3 tokens; the vocabulary is "
        "made of the 3 tokens in the file; first tokens without a log-probability weigh nothing."
    )
    labels = [button.label for button in app.button if str(button.key).startswith("read_")]
    assert labels == ["Leave the weights out", "Ids and names"]
    click(app, "read_weights")
    assert (number(app), counting(app)) == ("NaN", "3 of 3")
    click(app, "read_back")
    assert number(app) == f"{1.75 / 2:.4f}"


def test_probabilities_open_as_their_logarithms_and_can_be_taken_as_they_are() -> None:
    probabilities = np.full((2, 3, 4), 0.25, np.float32) + np.array([0.15, -0.05, -0.05, -0.05], np.float32)
    app = drop(opened(), run_npz=encoded("npz", logits=probabilities, targets=np.zeros((2, 3), int)))
    assert (texts(app, "error"), number(app)) == ([], f"{-np.log(0.4):.4f}")
    click(app, "read_layout")
    assert number(app) == f"{np.log(np.exp(0.4) + 3 * np.exp(0.2)) - 0.4:.4f}"
    assert assumed(app) == []


@pytest.mark.parametrize(
    "changes", [{"targets": FIELDS["targets"].T}, {"vocabulary": np.array(["a", "b"])}], ids=["targets", "vocabulary"]
)
def test_file_that_a_layout_explains_opens_and_says_what_was_assumed(changes: dict[str, Any]) -> None:
    app = drop(opened(), run_npz=npz(**{**FIELDS, **changes}))
    assert (texts(app, "error"), number(app), counting(app)) == ([], UNIFORM, "4 of 6")
    assert len(assumed(app)) == 1


def test_taking_a_bad_file_out_takes_its_sentence_away() -> None:
    app = drop(opened(), run_npz=b"hello")
    assert len(texts(app, "error")) == 1
    run(app.file_uploader(key="files").clear())
    assert texts(app, "error") == []


def test_json_with_nan_opens_and_says_so() -> None:
    """NaN is content: it is drawn, named, and makes the number NaN."""
    document = {"logits": [[["NaN", 1.0], [0.0, 0.0]]], "targets": [[0, 1]]}
    text = json.dumps(document).replace('"NaN"', "NaN").encode()
    app = drop(opened(), run_json=text)
    assert number(app) == "NaN"
    assert texts(app, "warning") == [
        "1 timestep has logits that are NaN or ±inf (1 logits), first at sequence 0, timestep 0. 1 of them counts."
    ]


def test_empty_batch_opens() -> None:
    arrays = {"logits": np.zeros((0, 3, 4), np.float32), "targets": np.zeros((0, 3), int)}
    app = drop(opened(), run_npz=npz(**arrays))
    assert texts(app, "error") == []
    assert texts(app, "info") == ["The batch is empty: there is no timestep, and the loss is 0."]


def test_sequences_without_timesteps_open() -> None:
    arrays = {"logits": np.zeros((3, 0, 4), np.float32), "targets": np.zeros((3, 0), int)}
    app = drop(opened(), run_npz=npz(**arrays))
    assert texts(app, "error") == []


def test_other_names_are_asked_about_and_then_open() -> None:
    """The dialog has proposed what fits; its answer opens the file."""
    app = drop(
        opened(), run_npz=npz(first=FIELDS["logits"], second=FIELDS["logits"], y=FIELDS["targets"], n=FIELDS["lengths"])
    )
    assert number(app) == RECORDED
    click(app, "map")
    assert app.selectbox(key="map_targets").value == "y"
    assert app.selectbox(key="map_logits").options[1] == "first  (2, 3, 4) float32"
    app.selectbox(key="map_logits").select("first")
    app.selectbox(key="map_lengths").select("n")
    answer(app)
    assert (texts(app, "error"), number(app), counting(app)) == ([], UNIFORM, "4 of 6")


def test_wrong_answer_in_the_dialog_is_a_sentence_in_the_dialog() -> None:
    app = drop(opened(), run_npz=npz(first=FIELDS["logits"], second=FIELDS["logits"], n=FIELDS["lengths"]))
    click(app, "map")
    app.selectbox(key="map_logits").select("first")
    app.selectbox(key="map_targets").select("n")
    app.selectbox(key="map_lengths").select("not in this file")
    answer(app)
    assert texts(app, "error")[-1].startswith(
        "`targets` must have shape (2, 3), the first two axes of `logits`; got (2,"
    )
    assert number(app) == RECORDED


def test_columns_of_a_table_are_asked_about_and_then_open() -> None:
    """A table's own words for its columns, which nothing else can tell."""
    rows = [f"{b},{t},{v},0.0,1" for b in range(2) for t in range(2) for v in range(3)]
    app = drop(opened(), run_csv="\n".join(["foo,bar,baz,qux,corge", *rows]).encode())
    click(app, "map")
    asked = {"sequence": "foo", "timestep": "bar", "class": "baz", "logit": "qux", "target": "corge"}
    for name, column in asked.items():
        app.selectbox(key=f"map_{name}").select(column)
    answer(app)
    assert (texts(app, "error"), number(app)) == ([], f"{np.log(3):.4f}")


def test_file_opened_again_is_the_one_on_screen() -> None:
    """Of two files the newest is shown, also when it has been there before."""
    app = drop(opened(), a_npz=encoded("npz"))
    drop(app, b_npz=encoded("npz", logits=np.zeros((2, 3, 7), np.float32)))
    assert number(app) == f"{np.log(7):.4f}"
    drop(app, a_npz=encoded("npz"))
    assert (number(app), state(app).source.name) == (UNIFORM, "a.npz")


def test_opened_files_are_there_behind_the_other_doors() -> None:
    """With the edits that each had."""
    app = drop(opened(), a_npz=encoded("npz"))
    edit_length(app, 0, 2)
    door(app, "Sample")
    assert number(app) == RECORDED
    door(app, "Open")
    assert (number(app), counting(app)) == (UNIFORM, "3 of 6")


def test_file_of_hostile_tokens_opens_as_text() -> None:
    tokens = ["<pad>", "<script>alert(1)</script>", "![x](http://example.org/x.png)", "a" * 10_000]
    app = select(drop(opened(), run_json=encoded("json", vocabulary=tokens)), 0, 1)
    assert texts(app, "markdown")[0] == "## Sequence 0, timestep 1: target ![x](http://example.org/x.png)"


@pytest.mark.parametrize("name", ["[x](http:__example_org)_npz", "<img src=x>_npz", "`a`_npz"])
def test_hostile_file_name_is_text(name: str) -> None:
    app = drop(opened(), **{name: b"hello"})
    assert len(texts(app, "error")) == 1


def test_start_file_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(encoded("npz"))
    monkeypatch.setenv("LOSSVIZ_FILE", str(path))
    app = open_app()
    assert (number(app), app.session_state["door"]) == (UNIFORM, "Open")
    choose(door(app, "Sample"), sample="golden")
    assert number(app) == "1.2545"


def test_missing_start_file_is_a_sentence_and_leaves_the_doors_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOSSVIZ_FILE", str(tmp_path / "nothing.npz"))
    app = open_app()
    assert texts(app, "error") == [f"There is no file `{tmp_path / 'nothing.npz'}`."]
    assert texts(app, "info") == ["Choose a sample, open a file, or type sequences in the sidebar."]
    assert number(door(app, "Sample")) == RECORDED
    assert number(run(app)) == RECORDED


def test_start_file_with_other_names_is_asked_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "run.npz"
    path.write_bytes(npz(first=FIELDS["logits"], second=FIELDS["logits"], y=FIELDS["targets"]))
    monkeypatch.setenv("LOSSVIZ_FILE", str(path))
    app = open_app()
    click(app, "map")
    app.selectbox(key="map_logits").select("first")
    answer(app)
    assert (texts(app, "error"), number(app), shown(app).batch.shape) == ([], UNIFORM, (2, 3, 4))
