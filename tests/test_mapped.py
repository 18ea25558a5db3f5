"""Mapped files that are replaced, moved or shortened while they are open."""

import subprocess
import sys

import numpy as np
import pytest

from lossviz import Batch, analyze
from lossviz.edits import Edit, apply_edits
from lossviz.errors import InputError
from lossviz.formats import read

SHAPE = (4, 64, 1024)  # 1 MiB of float32: mapped


@pytest.fixture
def opened(tmp_path):
    """A mapped `run.npz`, its path and the logits in it."""
    path, logits = tmp_path / "run.npz", np.random.default_rng(0).normal(size=SHAPE).astype("float32")
    np.savez(path, logits=logits, targets=np.zeros(SHAPE[:2], int))
    return path, Batch.from_arrays(**read(path)), logits


def edited_loss(batch):
    return analyze(apply_edits(batch, [Edit("logits", (0, 0, 0), 3.0)])).value


@pytest.mark.parametrize("fate", ["replaced", "deleted", "moved"])
def test_edit_of_a_mapped_file_that_was_replaced_is_an_edit_of_what_was_opened(opened, fate):
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
def test_a_mapped_file_written_in_place_is_refused_in_words(opened, ask):
    path, batch, logits = opened
    np.savez(path, logits=logits[:, :, :2], targets=batch.targets)
    with pytest.raises(InputError) as error:
        ask(batch)
    assert str(error.value) == "`run.npz` changed on disk: open it again."


def test_a_shortened_file_does_not_kill_the_process(opened):
    """Run in a process of its own: SIGBUS can't be caught."""
    path, _, _ = opened
    code = """
import sys
from lossviz import Batch, analyze
from lossviz.errors import InputError
from lossviz.formats import read
batch = Batch.from_arrays(**read(sys.argv[1]))
analysis = analyze(batch)
open(sys.argv[1], "wb").write(b"PK")
try:
    analysis.explain(3, 63)
except InputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "`run.npz` changed on disk: open it again.\n")


def test_a_file_written_while_it_is_analysed_gives_no_number(opened):
    path, batch, logits = opened

    def write_at_the_end(done, count):
        if done == count:
            np.savez(path, logits=logits + 1, targets=batch.targets)

    with pytest.raises(InputError, match=r"^`run\.npz` changed on disk: open it again\.$"):
        analyze(batch, progress=write_at_the_end)


def test_what_was_computed_from_a_mapped_array_outlives_the_file(opened):
    path, batch, _ = opened
    shifted = batch.logits + 1
    path.write_bytes(b"PK")
    assert np.isfinite(shifted[0, 0, 0])
