"""Paths, uploads and streams, and where nothing can be read or written."""

import os
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from lossviz import formats
from lossviz.errors import FormatError
from tests.formats.fields import encoded, refusal, same, tiny

SUFFIXES = ".csv, .json, .npy, .npz, .parquet or .safetensors"


def unwritable(fields: dict[str, object], target: object, *options: str) -> str:
    with pytest.raises(FormatError) as error:
        formats.write(fields, target, *options)
    return str(error.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.npx", f"`a.npx` has the suffix `.npx`; {SUFFIXES} are read. Did you mean `.npz`?"),
        ("a.xlsx", f"`a.xlsx` has the suffix `.xlsx`; {SUFFIXES} are read."),
        ("batch", f"`batch` has no suffix; {SUFFIXES} are read."),
        (
            "model.pt",
            (
                f"`model.pt` has the suffix `.pt`; {SUFFIXES} are read. It holds a pickle, and loading one runs the "
                f"code in it. "
                "Save the arrays with `np.savez`."
            ),
        ),
    ],
)
def test_read_unknown_suffix_lists_the_known_ones(name: str, message: str) -> None:
    assert refusal(b"x", name=name) == message


def test_read_suffix_may_be_in_capitals() -> None:
    assert same(tiny(), formats.read(encoded(tiny(), "npz"), name="RUN.NPZ"))


def test_read_bytes_without_a_name_asks_for_one() -> None:
    assert refusal(b"x") == (
        'The bytes have no name to choose the format by. Pass `name=`, such as `name="batch.npz"`.'
    )


def test_read_missing_file_and_folder_say_what_is_there(tmp_path: Path) -> None:
    formats.write(tiny(), tmp_path / "batch.npz")
    (tmp_path / "notes.txt").write_text("")
    assert refusal(tmp_path / "bach.npz") == f"There is no file `{tmp_path}/bach.npz`. Did you mean `batch.npz`?"
    assert refusal(tmp_path) == f"`{tmp_path}` is a folder. Open one of its files: batch.npz."
    assert refusal(str(tmp_path / "no" / "a.npz")) == f"There is no file `{tmp_path}/no/a.npz`."
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path / "empty") == f"`{tmp_path}/empty` is a folder. Open one of its files: it holds none."


def test_read_device_is_refused_without_reading_it() -> None:
    assert refusal(os.devnull, name="a.npz") == (
        f"`{os.devnull}` is not a file but a device or a pipe. Save its content as a file."
    )


def test_read_name_that_is_too_long_for_the_system_is_a_sentence() -> None:
    name = "x" * 5_000 + ".npz"
    assert refusal(name) == f"`{'x' * 199}…` can't be read: File name too long."


def test_read_upload_of_300_megabytes_is_refused_before_it_is_copied() -> None:
    assert refusal(memoryview(np.zeros(300 * 2**20, np.uint8)), name="big.npz") == (
        "`big.npz` is 300 MiB; an upload may have at most 200 MiB. Save `big.npz` on this machine and open it "
        "by its path: "
        "what is on disk is read as it is needed."
    )


def test_read_stream_from_its_start_by_its_own_name(tmp_path: Path) -> None:
    stream = BytesIO(encoded(tiny(), "json"))
    stream.name = "upload.json"
    stream.seek(5)
    assert same(tiny(), formats.read(stream))


def test_read_many_refuses_what_does_not_belong_together() -> None:
    data = encoded(tiny(), "npz")
    with pytest.raises(FormatError) as error:
        formats.read_many({"a.npz": data, "b.npy": data})
    assert str(error.value) == ("`a.npz` can't be read together with other files; only .npy files can. Open it alone.")
    with pytest.raises(FormatError) as error:
        formats.read_many({})
    assert str(error.value) == "No file was given. Choose one, or several .npy files that belong together."
    half = memoryview(np.zeros(150 * 2**20, np.uint8))
    with pytest.raises(FormatError) as error:
        formats.read_many({"a.npy": half, "b.npy": half})
    assert str(error.value) == (
        "The files together are 300 MiB; an upload may have at most 200 MiB. Save them on this machine and open "
        "it by its "
        "path: what is on disk is read as it is needed."
    )


def test_write_takes_the_attributes_of_a_batch_and_leaves_out_none(tmp_path: Path) -> None:
    fields = dict.fromkeys(formats.FIELDS) | tiny() | {"vocabulary": ("<pad>", "a", "b")}
    formats.write(fields, tmp_path / "a.json")
    assert same(tiny(), formats.read(tmp_path / "a.json"))


def test_write_says_what_it_cannot_write(tmp_path: Path) -> None:
    assert unwritable({"logits": np.zeros((1, 1, 2))}, tmp_path / "a.npz") == (
        "The fields lack `targets`; a file needs logits and targets."
    )
    assert unwritable(tiny() | {"mask": 1}, tmp_path / "a.npz") == (
        "`mask` is no field; known are logits, targets, lengths, weights, inputs, segment_ids, "
        "losses, log_probs, entropy, rank, top_classes, top_probabilities, vocabulary, "
        "input_vocabulary, pad_id, eos_id, ignore_id, classes, num_items_in_batch, "
        "labels_per_timestep, reported and title."
    )
    assert unwritable(tiny() | {"targets": np.array([[None]])}, tmp_path / "a.npz") == (
        "`targets` holds Python objects; only arrays of numbers can be written."
    )
    assert unwritable(tiny(), BytesIO()) == f"`a stream` has no suffix; {SUFFIXES} are read."
    assert unwritable(tiny(), tmp_path / "no" / "a.npz").startswith(f"`{tmp_path}/no/a.npz` can't be written: ")


def test_write_that_fails_keeps_the_old_file(tmp_path: Path) -> None:
    formats.write(tiny(), tmp_path / "a.csv")
    old = (tmp_path / "a.csv").read_bytes()
    assert unwritable(tiny() | {"logits": np.zeros((0, 1, 2))}, tmp_path / "a.csv").endswith("Choose .npz.")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert (tmp_path / "a.csv").read_bytes() == old
