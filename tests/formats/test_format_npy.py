"""NumPy arrays side by side: what stands beside the logits, on disk and among uploads."""

import io
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lossviz import formats
from lossviz.errors import FormatError, NamesError
from lossviz.file_arrays import FileArray
from tests.formats.fields import refusal, same, tiny


def saved(value: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(value))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("main", "targets"),
    [("logits.npy", "targets.npy"), ("run.npy", "run.targets.npy"), ("run.logits.npy", "run.targets.npy")],
)
def test_npy_finds_the_arrays_beside_the_logits(main: str, targets: str, tmp_path: Path) -> None:
    np.save(tmp_path / main, np.zeros((1, 2, 3)))
    np.save(tmp_path / targets, [[1, 2]])
    assert formats.read(tmp_path / main)["targets"].tolist() == [[1, 2]]
    parts = {name: (tmp_path / name).read_bytes() for name in (main, targets)}
    assert formats.read_many(parts)["targets"].tolist() == [[1, 2]]


def test_npy_writes_one_file_a_field(tmp_path: Path) -> None:
    formats.write(tiny(), tmp_path / "run.npy")
    names = ["lengths.", "pad_id.", "reported.", "targets.", "title.", "vocabulary.", ""]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(f"run.{name}npy" for name in names)
    assert np.load(tmp_path / "run.npy").tolist() == tiny()["logits"].tolist()
    assert same(tiny(), formats.read_many({path.name: path.read_bytes() for path in tmp_path.iterdir()}))


def test_npy_leaves_large_logits_in_the_file(tmp_path: Path) -> None:
    np.save(tmp_path / "logits.npy", np.ones((1, 512, 1024), np.float32))
    np.save(tmp_path / "targets.npy", np.zeros((1, 512), np.int64))
    assert isinstance(formats.read(tmp_path / "logits.npy")["logits"], FileArray)
    np.save(tmp_path / "logits.npy", np.ones((1, 512, 1024), np.float32, order="F").repeat(2, 0)[::2])


def test_npy_of_three_gigabytes_opens_without_reading_it(tmp_path: Path) -> None:
    shape = (3, 1024, 262_144)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": shape})
    path = tmp_path / "big.npy"
    with path.open("wb") as file:
        file.write(header.getvalue())
        file.truncate(header.tell() + 4 * 3 * 2**28)
    np.save(tmp_path / "big.targets.npy", np.zeros(shape[:2], np.int64))
    tracemalloc.start()
    assert formats.read(path)["logits"].shape == shape
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_npy_that_stands_alone_says_what_is_missing(tmp_path: Path) -> None:
    np.save(tmp_path / "run.npy", np.zeros((1, 2, 3)))
    assert refusal(tmp_path / "run.npy") == (
        "`run.npy` holds one array, `run` (1, 2, 3) float64, and no targets beside it. Save the targets [B, T] as "
        "`run.targets.npy` in the same folder."
    )
    assert refusal(saved(np.zeros((1, 2, 3))), name="logits.npy") == (
        "`logits.npy` holds one array, `logits` (1, 2, 3) float64, and no targets beside it. Upload `logits.npy` and "
        "`targets.npy` together."
    )


def test_npy_targets_point_to_the_logits(tmp_path: Path) -> None:
    np.save(tmp_path / "run.targets.npy", [[1, 2]])
    np.save(tmp_path / "targets.npy", [[1, 2]])
    assert refusal(tmp_path / "run.targets.npy").endswith("Open `run.npy`; the others are read from beside it.")
    assert refusal(saved([[1, 2]]), name="targets.npy") == (
        "`targets.npy` holds one array, `targets` (1, 2) int64, and no targets beside it. Open `logits.npy`; "
        "the others "
        "are read from beside it."
    )


def test_npy_under_another_name_beside_the_logits_is_asked_about(tmp_path: Path) -> None:
    np.save(tmp_path / "logits.npy", np.zeros((1, 2, 3)))
    np.save(tmp_path / "labels.npy", [[1, 2]])
    with pytest.raises(NamesError) as error:
        formats.read(tmp_path / "logits.npy")
    assert str(error.value) == (
        "`logits.npy` holds `logits` (1, 2, 3) float64 and `labels` (1, 2) int64; looked for `targets`. Did you mean "
        '`labels` for `targets`? Pass `names={"targets": "labels"}`.'
    )
    assert formats.read(tmp_path / "logits.npy", names={"targets": "labels"})["targets"].tolist() == [[1, 2]]


def test_npy_uploads_without_logits_or_with_two_are_refused() -> None:
    with pytest.raises(FormatError) as error:
        formats.read_many({"a.npy": saved([[1]]), "b.npy": saved([1])})
    assert str(error.value) == (
        "The files hold `a.npy` (1, 1) int64 and `b.npy` (1,) int64; looked for one with the logits [B, T, V]. "
        "Call it "
        "`logits.npy`, and the others `targets.npy`, `lengths.npy`…"
    )


def test_npy_cannot_be_written_to_a_stream() -> None:
    with pytest.raises(FormatError) as error:
        formats.write(tiny(), io.BytesIO(), "npy")
    assert str(error.value) == "`.npy` holds one array per file, so it needs a path and not a stream. Choose .npz."


def test_npy_refuses_to_leave_an_older_file_among_the_new_ones(tmp_path: Path) -> None:
    np.save(tmp_path / "run.weights.npy", [[1, 1]])
    with pytest.raises(FormatError) as error:
        formats.write(tiny(), tmp_path / "run.npy")
    assert str(error.value) == (
        "`run.weights.npy` would be read together with `run.npy`. Delete what is not part of this batch, or "
        "choose another "
        "name."
    )
    assert not (tmp_path / "run.npy").exists()


def test_npy_that_is_something_else_says_what(tmp_path: Path) -> None:
    (tmp_path / "logits.npy").write_bytes(b"PK\x03\x04")
    assert refusal(tmp_path / "logits.npy") == (
        "`logits.npy` is not an .npy array: it starts like a zip archive. Save the array with `np.save`."
    )


def test_npy_of_the_future_or_cut_off_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "targets.npy", [[1, 2]])
    data = saved(np.zeros((1, 2, 3)))
    (tmp_path / "logits.npy").write_bytes(data[:-1])
    assert refusal(tmp_path / "logits.npy") == (
        "`logits.npy` was cut off or damaged: 47 bytes are no float64 of shape (1, 2, 3). Save or copy it again."
    )
    (tmp_path / "logits.npy").write_bytes(data[:6] + b"\x09" + data[7:])
    assert refusal(tmp_path / "logits.npy") == (
        "`logits.npy` is not a whole .npy array: its header can't be read. Save it again with `np.save`."
    )
