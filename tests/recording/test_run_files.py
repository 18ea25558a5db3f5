"""Runs that crashed, were cut off, tampered with or mixed up: the steps before the damage, or one sentence."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pyarrow.ipc
import pyarrow.parquet
import pytest

import lossviz
from lossviz.errors import FormatError, InputError
from lossviz.recording import compact, open_run
from lossviz.recording._disk.writer import Writer


def record(folder, steps=range(3), close=True, **settings):
    recorder = lossviz.Recorder(folder, every=1, queue_size=100, **settings)
    for step in steps:
        recorder.step(step=step, targets=[[step, 1]], losses=[[0.5, step]], reported=f"{step}.0")
    if close:
        recorder.close()
    return recorder


def test_run_of_a_killed_process_lacks_at_most_the_last_step(tmp_path):
    code = f"""
import sys, time, lossviz
recorder = lossviz.Recorder({str(tmp_path / "run")!r}, every=1, queue_size=100)
for step in range(50):
    recorder.step(step=step, targets=[[step]], losses=[[0.5]])
while recorder._writer.state.written < 49:
    time.sleep(0.01)
print("written", flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "written\n"
        os.kill(process.pid, signal.SIGKILL)
    run = open_run(tmp_path / "run")
    assert run.steps == tuple(range(49))  # step 49 was held for its printed number
    assert [state.closed for state in run.ranks] == [False]


def test_run_that_is_still_recorded_opens(tmp_path):
    recorder = record(tmp_path / "run", close=False)
    recorder.flush()
    while recorder._writer.state.written < 3:
        time.sleep(0.01)
    assert open_run(tmp_path / "run").steps == (0, 1, 2)
    recorder.close()
    assert open_run(tmp_path / "run").fields(2)["losses"].tolist() == [[0.5, 2.0]]


def unclosed(tmp_path, monkeypatch):
    """A run whose shard stays an Arrow stream."""
    monkeypatch.setattr("lossviz.recording._recorder.compact", lambda *_, **__: ())
    record(tmp_path / "run")
    [shard] = (tmp_path / "run").glob("*.arrow")
    return shard


def test_run_with_a_stream_cut_anywhere_gives_a_prefix_or_a_sentence(tmp_path, monkeypatch):
    shard = unclosed(tmp_path, monkeypatch)
    whole = shard.read_bytes()
    found = set()
    for size in [*range(0, len(whole), 37), len(whole)]:
        shard.write_bytes(whole[:size])
        try:
            found.add(open_run(tmp_path / "run").steps)
        except FormatError as error:
            found.add(str(error).split("`")[-1])
    assert found == {
        " is not an Arrow stream, or was cut off before its first step.",
        ", or let the loop run on.",
        (0,),
        (0, 1),
        (0, 1, 2),
    }


@pytest.mark.parametrize("suffix", ["arrow", "parquet"])
def test_run_with_flipped_bytes_never_ends_in_a_traceback(tmp_path, monkeypatch, suffix):
    shard = unclosed(tmp_path, monkeypatch)
    if suffix == "parquet":
        [shard] = compact(tmp_path / "run")
    whole, random = shard.read_bytes(), np.random.default_rng(0)
    outcomes = set()
    for at in random.integers(0, len(whole), 150).tolist():
        shard.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            run = open_run(tmp_path / "run")
            outcomes.add(type(run.fields(run.steps[0])))
        except (FormatError, InputError) as error:
            outcomes.add(type(error))
    assert outcomes == {dict, FormatError}


def test_run_of_a_newer_schema_is_refused_in_one_sentence(tmp_path):
    record(tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps(manifest | {"schema": 2}))
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "run")
    assert str(error.value) == (
        f"`{tmp_path / 'run'}` was recorded with schema 2; this lossviz reads up to 1. "
        "Upgrade it with `pip install -U lossviz`."
    )


def test_run_with_unknown_fields_and_columns_opens(tmp_path):
    record(tmp_path / "run")
    manifest = json.loads((tmp_path / "run" / "run.json").read_text())
    (tmp_path / "run" / "run.json").write_text(json.dumps(manifest | {"mood": "good"}))
    [shard] = (tmp_path / "run").glob("*.parquet")
    table = pyarrow.parquet.read_table(shard)
    pyarrow.parquet.write_table(table.append_column("mood", pyarrow.array(["good"] * 3)).drop_columns("loss"), shard)
    assert open_run(tmp_path / "run").fields(1)["losses"].tolist() == [[0.5, 1.0]]


def test_run_with_a_shard_of_another_run_is_refused(tmp_path):
    record(tmp_path / "run")
    record(tmp_path / "other", rank=1)
    [shard] = (tmp_path / "other").glob("*.parquet")
    shard.rename(tmp_path / "run" / shard.name)
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "run")
    assert str(error.value) == (
        "`steps-00001-000.parquet` belongs to another run than `run.json`. Move it to the folder of its run."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "`{path}` was cut off or damaged: it is not JSON. Restore it from a copy."),
        ("[1]", "`{path}` must hold a JSON object; got a list. Restore it from a copy."),
        ("{}", "`{path}` is not a run's: it lacks `run` or `schema`. Pass the folder that was recorded to."),
        (
            '{"run": "a", "schema": 1, "settings": 5}',
            "`{path}` is damaged: its `settings` is of another kind. Restore it from a copy.",
        ),
    ],
)
def test_run_with_a_damaged_manifest_is_refused(tmp_path, content, message):
    record(tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(content)
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "run")
    assert str(error.value) == message.replace("{path}", str(path))


def test_run_with_a_foreign_file_is_refused(tmp_path):
    record(tmp_path / "run")
    foreign = tmp_path / "run" / "steps-00007-000.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), foreign)
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "run")
    assert str(error.value) == (
        "`steps-00007-000.parquet` was not written by a recorder of lossviz. Move it out of the folder."
    )


def test_run_with_another_vocabulary_is_refused(tmp_path):
    record(tmp_path / "run", vocabulary=["a", "b", "c"])
    path = tmp_path / "run" / "vocabulary.json"
    path.write_text('["a", "b", "d"]')
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "run").fields(0)
    assert str(error.value) == (f"`{path}` is missing, damaged, or not the one of `run.json`. Restore it from a copy.")


def test_run_fields_names_the_nearest_step(tmp_path):
    record(tmp_path / "run", steps=(0, 10, 20))
    with pytest.raises(InputError) as error:
        open_run(tmp_path / "run").fields(12)
    assert str(error.value) == (
        f"Step 12 was not recorded; `{tmp_path / 'run'}` holds 3 steps from 0 to 20, and the nearest is 10."
    )


def test_run_compacts_to_the_same_rows(tmp_path, monkeypatch):
    unclosed(tmp_path, monkeypatch)
    before = [open_run(tmp_path / "run").fields(step) for step in range(3)]
    [parquet] = compact(tmp_path / "run")
    after = [open_run(tmp_path / "run").fields(step) for step in range(3)]
    assert [path.name for path in (tmp_path / "run").glob("steps-*")] == [parquet.name]
    for one, other in zip(before, after, strict=True):
        assert one.keys() == other.keys()
        assert all(np.array_equal(one[name], other[name]) for name in one)


def test_run_stops_at_its_limit_of_bytes_and_says_so(tmp_path):
    recorder = lossviz.Recorder(tmp_path / "run", every=1, max_bytes=20_000, queue_size=1000)
    for step in range(100):
        recorder.step(step=step, targets=np.ones((1, 2000), int), losses=np.random.default_rng(step).random((1, 2000)))
    written = r"Recording stopped: `max_bytes` of 20,000 is used up\. \d+ later steps are not in `.*`\."
    with pytest.warns(UserWarning, match=f"^{written}$"):
        recorder.close()
    run = open_run(tmp_path / "run")
    assert len(run.steps) == run.ranks[0].written
    assert run.ranks[0].written + recorder.dropped == 100
    assert sum(path.stat().st_size for path in (tmp_path / "run").glob("steps-*")) < 40_000


def test_run_counts_steps_that_the_disk_was_too_slow_for(tmp_path, monkeypatch):
    """While the disk hangs, training goes on, and no more than `queue_size` steps are kept in memory."""
    import threading

    hangs, original = threading.Event(), Writer._append

    def slow(writer, batches):
        hangs.wait()
        original(writer, batches)

    monkeypatch.setattr(Writer, "_append", slow)
    recorder = lossviz.Recorder(tmp_path / "run", every=1, queue_size=2)
    for step in range(50):
        recorder.step(step=step, targets=[[1]], losses=[[0.5]])
    recorder.flush()
    assert 47 <= recorder.dropped <= 48  # 2 wait, and 1 is being written once the thread took it
    hangs.set()
    with pytest.warns(
        UserWarning, match=r"^4[78] steps are not in `.*`: the disk was slower than the training loop\.$"
    ):
        recorder.close()
    assert open_run(tmp_path / "run").ranks[0].written == 50 - recorder.dropped


def test_run_survives_a_disk_that_fails(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    recorder = lossviz.Recorder(tmp_path / "run", every=1, queue_size=100)
    recorder.step(step=0, targets=[[1]], losses=[[0.5]])
    recorder.step(step=1, targets=[[1]], losses=[[0.5]])
    while recorder._writer.state.written < 1:
        time.sleep(0.01)
    monkeypatch.setattr(Writer, "_append", full)
    recorder.step(step=2, targets=[[1]], losses=[[0.5]])
    with pytest.warns(UserWarning, match=r"^Recording stopped: OSError: .* No space left on device\. 2 later"):
        recorder.close()
    assert open_run(tmp_path / "run").steps == (0,)
