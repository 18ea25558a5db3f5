"""Files that are replaced, moved, rewritten or cut off while arrays are read from them."""

import copy
import subprocess
import sys

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.edits import Edit, apply_edits
from lossviz.errors import InputError
from lossviz.file_arrays import open_array
from lossviz.formats import read

SHAPE = (4, 64, 1024)  # 1 MiB of float32: stays in the file


@pytest.fixture
def opened(tmp_path):
    """The path of `run.npz`, the batch whose logits stay in it, and those logits."""
    path, logits = tmp_path / "run.npz", np.random.default_rng(0).normal(size=SHAPE).astype("float32")
    np.savez(path, logits=logits, targets=np.zeros(SHAPE[:2], int))
    return path, Batch.from_arrays(**read(path)), logits


def edited_loss(batch):
    return analyze(apply_edits(batch, [Edit("logits", (0, 0, 0), 3.0)])).value


@pytest.mark.parametrize("fate", ["replaced", "deleted", "moved"])
def test_edit_of_a_file_that_was_replaced_is_an_edit_of_what_was_opened(opened, fate):
    path, batch, logits = opened
    expected = np.array(logits)
    expected[0, 0, 0] = 3
    newer = path.with_name("newer.npz")
    np.savez(newer, logits=logits + np.arange(SHAPE[2], dtype="float32"), targets=np.zeros(SHAPE[:2], int))
    if fate == "replaced":
        newer.replace(path)
    elif fate == "deleted":
        path.unlink()
    else:
        path.rename(path.with_name("moved.npz"))
    assert edited_loss(batch) == analyze(Batch.from_arrays(logits=expected, targets=batch.targets)).value
    assert analyze(batch).value == analyze(Batch.from_arrays(logits=logits, targets=batch.targets)).value


@pytest.mark.parametrize(
    "ask", [lambda b: b.logits[3, 63], lambda b: analyze(b), edited_loss], ids=["index", "analyze", "edit"]
)
def test_a_file_written_in_place_is_refused_in_words(opened, ask):
    path, batch, logits = opened
    np.savez(path, logits=logits[:, :, :2], targets=batch.targets)
    with pytest.raises(InputError) as error:
        ask(batch)
    assert str(error.value) == "`run.npz` changed on disk: open it again."


def test_a_file_that_is_cut_off_during_any_read_does_not_kill_the_process(opened):
    """Another thread cuts and restores the file all the while, and nobody looks whether it changed.

    In a process of its own, for SIGBUS can't be caught.
    """
    path, _, _ = opened
    code = """
import os
import sys
import threading
import time

import numpy as np
from lossviz import Batch, analyze
from lossviz.edits import Edit, apply_edits
from lossviz.engine import alternative_losses, per_timestep
from lossviz.errors import InputError
from lossviz.file_arrays import open_array
from lossviz.file_arrays._open_file import OpenFile
from lossviz.formats import read

content, over = open(sys.argv[1], "rb").read(), threading.Event()

def cut():
    while not over.is_set():
        os.truncate(sys.argv[1], 100)
        with open(sys.argv[1], "r+b") as file:
            file.write(content)

asks = (
    lambda logits: logits[3, 63],
    lambda logits: logits[[0, 3], [1, 63]],
    lambda logits: np.array(logits),
    lambda logits: logits[:, ::7].max(),
    lambda logits: logits + 1,
    lambda logits: logits.swapaxes(1, 2)[:, 5].sum(),
    lambda logits: per_timestep(logits, batch.targets),
    lambda logits: alternative_losses(logits, batch.targets),
    lambda logits: analyze(apply_edits(batch, [Edit("logits", (0, 0, 0), 3.0)])),
)
OpenFile.require_unchanged = lambda self: None  # only the reads themselves are left
batch = Batch.from_arrays(**read(sys.argv[1]))
for ask in asks:
    ask(batch.logits)  # with TensorFlow loaded and traced
cutting = threading.Thread(target=cut)
cutting.start()
said, tries = set(), 0
end = time.monotonic() + 1
while time.monotonic() < end:
    for ask in asks:
        tries += 1
        try:
            ask(batch.logits)
            said.add("a number")
        except InputError as error:
            said.add(str(error))
over.set()
cutting.join()
print(tries > 100, sorted(said))
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True ['`run.npz` changed on disk: open it again.', 'a number']\n"), (
        done.stderr
    )


def test_a_file_written_while_it_is_analysed_gives_no_number(opened):
    path, batch, logits = opened

    def write_at_the_end(done, count):
        if done == count:
            np.savez(path, logits=logits + 1, targets=batch.targets)

    with pytest.raises(InputError, match=r"^`run\.npz` changed on disk: open it again\.$"):
        analyze(batch, progress=write_at_the_end)


def test_what_was_computed_from_a_file_outlives_it(opened):
    path, batch, _ = opened
    shifted = batch.logits + 1
    path.write_bytes(b"PK")
    assert np.isfinite(shifted[0, 0, 0])


INDICES = [
    np.s_[1], np.s_[-1, 2], np.s_[1, 2, 3], np.s_[:, 1], np.s_[:, :-1], np.s_[1:3, ::2, 1:4], np.s_[::-1, :, ::-2],
    np.s_[None, 1:], np.s_[..., 0], np.s_[..., None], np.s_[0, ..., 1:], np.s_[2:2], np.s_[:],
    np.s_[[0, 2, 0]], np.s_[[0, -1], [1, -2]], np.s_[[[0], [2]], [1, 3]], np.s_[:, 1, [0, 4, 2]], np.s_[:, [2, 0]],
    np.s_[[0, 2], 1:3, 2:], np.s_[..., [1, 1]], np.s_[[0, 1], :, [3, 2]], np.s_[[0, 1], [1, 2], [4, -5]], np.s_[[]],
    np.arange(3) > 0, np.arange(12).reshape(3, 4) % 5 == 0, (slice(1, 3), np.arange(4) > 1),
]  # fmt: skip


@pytest.fixture
def kept(tmp_path):
    """An array in a file and the same in memory, with 7 bytes before it."""
    numbers = np.arange(60, dtype="float32").reshape(3, 4, 5)
    (tmp_path / "numbers.bin").write_bytes(b"x" * 7 + numbers.tobytes())
    return open_array(tmp_path / "numbers.bin", numbers.dtype, numbers.shape, 7), numbers


@pytest.mark.parametrize("window", [1 << 22, 64], ids=["at once", "in pieces"])
@pytest.mark.parametrize("index", INDICES, ids=str)
def test_index_of_an_array_in_a_file_gives_what_numpy_gives(kept, index, window, monkeypatch):
    monkeypatch.setattr("lossviz.file_arrays._file_array._WINDOW", window)
    monkeypatch.setattr("lossviz.file_arrays._file_array._GAP", window // 64)
    array, numbers = kept
    given = [array[index], array[::-1, ::-1][index]]
    expected = [numbers[index], numbers[::-1, ::-1][index]]
    for one, other in zip(given, expected, strict=True):
        assert (one.shape, one.dtype) == (other.shape, other.dtype)
        np.testing.assert_array_equal(one, other)


def test_array_in_a_file_is_turned_and_shaped_as_numpy_does(kept):
    array, numbers = kept
    for turn in (
        lambda a: a.reshape(-1, 5), lambda a: a.reshape(3, 20)[1:], lambda a: a[1:].reshape((2, -1)),
        lambda a: a[:, 1:].reshape(-1, 5), lambda a: a.swapaxes(1, 2)[:, 1:], lambda a: a.transpose(1, 0, 2)[2],
        lambda a: np.swapaxes(a, 0, 2)[1:, :, :2], lambda a: np.transpose(a)[..., 1], lambda a: a.view("int32")[1],
        lambda a: a.view("uint8")[0], lambda a: a.view()[0], lambda a: a.astype("float64"), lambda a: a.min(axis=1),
        lambda a: a == numbers, lambda a: numbers * a, lambda a: np.isfinite(a).all(), lambda a: list(a)[2],
        lambda a: np.concatenate([a, a], axis=2), lambda a: copy.deepcopy(a), lambda a: np.zeros_like(a), np.array,
        lambda a: np.asarray(a, np.int8), lambda a: len(a),
    ):  # fmt: skip
        np.testing.assert_array_equal(turn(array), turn(numbers))
    sizes = [(one.shape, one.ndim, one.size, one.nbytes) for one in (array[:, 1:], numbers[:, 1:])]
    assert sizes[0] == sizes[1]


def test_index_of_an_array_in_a_file_is_refused_as_numpy_refuses_it(kept):
    array, numbers = kept
    for index in (3, (0, -5), (0, 0, 0, 0), [3], ([0], [-5]), (..., ...), 1.5, [0.5], np.ones(4, bool), "a"):
        for one in (array, numbers):
            with pytest.raises((IndexError, ValueError)):
                one[index]
    for turn in (lambda a: a.reshape(7, -1), lambda a: np.asarray(a, copy=False) if a is array else a.reshape(7)):
        for one in (array, numbers):
            with pytest.raises(ValueError):
                turn(one)
    with pytest.raises(ValueError, match=r"^only single entries of what `editable` gave can be assigned to$"):
        array[0, 0, 0] = 1


def test_edits_of_an_array_in_a_file_are_seen_by_every_read_and_by_no_other_array(kept):
    array, numbers = kept
    edited, expected = array.editable(), numbers.copy()
    for index, value in (((0, 0, 0), 9.5), ((2, 3, 4), np.nan), ((-1, 1, 2), 1e300)):
        with np.errstate(over="ignore"):
            edited[index], expected[index] = value, value
    for index in INDICES:
        np.testing.assert_array_equal(edited[index], expected[index])
    again = edited[1:].editable()
    again[0, 0, 0] = -1
    np.testing.assert_array_equal(edited, expected)
    np.testing.assert_array_equal(array, numbers)
    assert again[0, 0, :2].tolist() == [-1, 21]


def test_an_array_that_its_file_is_too_short_for_is_refused(kept, tmp_path):
    with pytest.raises(InputError, match=r"^`numbers\.bin` changed on disk: open it again\.$"):
        open_array(tmp_path / "numbers.bin", np.dtype("float32"), (3, 4, 6), 7)
