"""Runs that come from somebody else: nothing in their files is run, waited for, or unpacked beyond what may be."""

import contextlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

import lossviz
from lossviz.errors import FormatError, InputError
from lossviz.recording import compact
from lossviz.recording import open_run as open_recorded
from lossviz.runs import identify_run, open_run
from lossviz.scanning import read_progress

MIB = 2**20
TARGETS, LOSSES = [[1, 2, 0], [3, 0, 0]], [[0.5, 1.0, 2.0], [1.0, 2.0, 3.0]]


def record(folder: Path, steps: int = 2, **settings: Any) -> Path:
    with lossviz.Recorder(folder, every=1, pad_id=0, queue_size=500, **settings) as recorder:
        for step in range(steps):
            for micro_batch in range(2):
                recorder.step(
                    step=step, micro_batch=micro_batch, targets=TARGETS, losses=np.array(LOSSES) + step, reported="1.5"
                )
    return folder


def changed(folder: Path, **settings: Any) -> Path:
    path = folder / "run.json"
    manifest = json.loads(path.read_text())
    manifest["settings"] |= settings
    path.write_text(json.dumps(manifest))
    return path


def with_columns(folder: Path, **columns: Any) -> Path:
    """Replace columns of the run's Parquet file."""
    [shard] = folder.glob("*.parquet")
    table = pq.read_table(shard)
    for name, values in columns.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        values = values if isinstance(values, pa.Array) else pa.array([values] * len(table), field.type)
        table = table.set_column(place, field.name, values)
    pq.write_table(table, shard, compression="zstd")
    return shard


def answers(folder: Path) -> list[list[Any]]:
    """What the queries say of a run, without its name."""
    run = open_run(folder)
    tables = (run.steps(), run.sequences(), run.by("token"), run.by("rank"), run.tokens())
    return [table.astype(str).to_numpy().tolist() for table in tables]


@pytest.mark.parametrize("value", ["INJECTED", 1.5, True, [1], 2**63], ids=str)
def test_ids_of_a_run_are_numbers_and_no_sql(tmp_path: Path, value: Any) -> None:
    """They stand in queries: a text wrote any file that its user may write, once the page Runs was opened."""
    written = tmp_path / "written"
    if value == "INJECTED":
        value = f"0)::FLOAT) AS weights FROM rows; COPY (SELECT 'x') TO '{written}'; --"
    path = changed(record(tmp_path / "run"), pad_id=value)
    with pytest.raises(FormatError) as error:
        open_run(tmp_path / "run").steps()
    assert str(error.value) == f"`{path}` is damaged: its `pad_id` is of another kind. Restore it from a copy."
    assert not written.exists()


def test_what_a_run_says_of_itself_is_of_the_kind_that_it_must_be(tmp_path: Path) -> None:
    path = record(tmp_path / "run") / "run.json"
    whole = json.loads(path.read_text())
    for name, value in {"trainer": 5, "versions": [1], "settings": None, "vocabulary": "a", "started": {}}.items():
        path.write_text(json.dumps(whole | {name: value}))
        with pytest.raises(FormatError, match=f"its `{name}` is of another kind"):
            open_run(tmp_path / "run")
    path.write_text(json.dumps(whole | {"more": [[]] * 3_000_000}))
    with pytest.raises(FormatError, match="too large to be a run's"):
        open_run(tmp_path / "run")
    path.write_text(json.dumps(whole))
    (tmp_path / "run" / "rank-00000.json").write_text('{"rank": "x", "written": 1}')
    assert open_run(tmp_path / "run").recorded.ranks == ()


def test_details_of_a_run_that_are_none_are_left_out(tmp_path: Path) -> None:
    for number, details in enumerate(('{"ignore_index": "x"}', '{"ignore_index": 1e30}', "[" * 100_000)):
        folder = record(tmp_path / str(number))
        with_columns(folder, details=details)
        assert answers(folder) == answers(record(tmp_path / f"{number} plain"))
        assert open_run(folder).batch(0).ignore_id is None


def test_number_that_says_it_is_a_mean_of_two_billion_steps_is_a_sentence(tmp_path: Path) -> None:
    """A set of all those numbers took the memory of the machine."""
    with_columns(record(tmp_path / "run"), window=2**31 - 1)
    start = time.process_time()
    problems = identify_run(open_run(tmp_path / "run")).problems
    assert problems[0] == (
        "The number printed at step 0 is a mean over 2147483647 steps, of which 1 was recorded. Record with `every=1`, "
        "or log every step."
    )
    assert time.process_time() - start < 5


def test_pipes_in_a_run_are_no_files(tmp_path: Path) -> None:
    """Whoever reads from one waits for ever."""
    folder = record(tmp_path / "run")
    os.mkfifo(folder / "steps-00001-000.parquet")
    with pytest.raises(FormatError, match="is no file, but a pipe or a link that leads nowhere"):
        open_run(folder)
    (folder / "steps-00001-000.parquet").unlink()
    (folder / "run.json").unlink()
    os.mkfifo(folder / "run.json")
    with pytest.raises(FormatError, match=r"`.*run\.json` is not a file but a device or a pipe"):
        open_recorded(folder)


@pytest.mark.parametrize("name", ["rank=7", "step=1", "a[1]", "a*?b", "it's; --", "a\nb"])
def test_name_of_a_folder_says_nothing_of_its_rows(tmp_path: Path, name: str) -> None:
    """DuckDB took `rank=7` for a column, and brackets and stars for a pattern."""
    assert answers(record(tmp_path / name)) == answers(record(tmp_path / "plain"))
    record(tmp_path / name / "two", rank=0)
    for rank in (0, 1):
        for folder in (tmp_path / name / "ranks", tmp_path / "ranks"):
            record(folder, rank=rank)
    assert answers(tmp_path / name / "ranks") == answers(tmp_path / "ranks")


def test_run_that_is_compacted_while_it_is_open_stays_open(tmp_path: Path) -> None:
    """The page Runs watches a training; at its end the recorder turns its stream into Parquet."""
    recorder = lossviz.Recorder(tmp_path / "run", every=1, pad_id=0)
    recorder.step(step=0, targets=TARGETS, losses=LOSSES)
    recorder.step(step=1, targets=TARGETS, losses=LOSSES)
    while len(list((tmp_path / "run").glob("*.arrow"))) < 1 or recorder._writer.state.written < 1:
        time.sleep(0.01)
    run = open_run(tmp_path / "run")
    assert run.step_numbers[0] == 0
    recorder.close()
    assert not list((tmp_path / "run").glob("*.arrow"))
    assert run.batch(0).targets.tolist() == TARGETS
    assert run.steps()["mean"].tolist()[0] == pytest.approx(2.5 / 3)
    for path in (tmp_path / "run").glob("*.parquet"):
        path.unlink()
    with pytest.raises(FormatError) as error:
        run.batch(0)
    assert str(error.value) == (
        "A file of this run is no longer there: it was moved or deleted since the run was opened. Open it again."
    )


def test_compaction_writes_into_no_file_that_a_link_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lossviz.recording._recorder.compact", lambda *_, **__: ())
    record(tmp_path / "run")
    other = tmp_path / "other"
    other.write_text("kept")
    (tmp_path / "run" / "steps-00000-000.draft").symlink_to(other)
    assert [path.name for path in compact(tmp_path / "run")] == ["steps-00000-000.parquet"]
    assert other.read_text() == "kept"
    assert not list((tmp_path / "run").glob("*.draft"))


def test_rows_of_a_run_are_counted_before_they_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists of zeros, a long text that is repeated, a stream of zeros: kilobytes that would take 30 MiB and more."""
    monkeypatch.setattr("lossviz.recording._disk.reading.MOST_BYTES", 16 * MIB)
    lists = record(tmp_path / "lists")
    zeros = pa.ListArray.from_arrays(pa.array(np.arange(9) * MIB, pa.int32()), pa.array(np.zeros(8 * MIB, np.float32)))
    long = record(tmp_path / "long", steps=10)
    stream = record(tmp_path / "stream")
    [shard] = stream.glob("*.parquet")
    table = pq.read_table(shard)
    place = table.schema.get_field_index("logits")
    table = table.set_column(place, table.schema.field(place), zeros)
    shard.unlink()
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.ipc.new_stream(shard.with_suffix(".arrow"), table.schema, options=options) as writer:
        writer.write_table(table)
    files = [with_columns(lists, losses=zeros), with_columns(long, details="x" * MIB), shard.with_suffix(".arrow")]
    assert max(path.stat().st_size for path in files) < 100_000
    before = pa.total_allocated_bytes()
    with pytest.raises(FormatError, match="at most 16 MiB are unpacked"):
        open_run(lists).batch(0)
    for folder in (long, stream):
        with pytest.raises(FormatError, match="at most 16 MiB are unpacked"):
            open_run(folder)
    end = time.monotonic() + 10
    while pa.total_allocated_bytes() - before >= 4 * MIB and time.monotonic() < end:
        time.sleep(0.05)  # Arrow's own threads let go of what they read a moment later
    assert pa.total_allocated_bytes() - before < 4 * MIB


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_folder_whose_name_is_not_utf_8_is_refused_before_anything_is_recorded(tmp_path: Path) -> None:
    """Arrow and DuckDB can't open a file in it: what was recorded there could never be read."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    said = f"The name of `{tmp_path}/caf\\xe9` is not UTF-8, so Arrow can't open what lies in it. Rename the folder."
    with pytest.raises(InputError) as refused:
        lossviz.Recorder(folder)
    assert str(refused.value) == said
    assert not folder.exists()
    record(tmp_path / "run").rename(folder)
    for asks in (open_recorded, open_run, compact):
        with pytest.raises(FormatError) as error:
            asks(folder)
        assert str(error.value) == said


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([1, None, 0], "A list of integers has a missing entry: the shard is damaged."),
        (None, "The lists of one micro-batch are not equally long: the shard is damaged."),
    ],
)
def test_a_missing_integer_is_a_sentence_and_no_other_integer(tmp_path: Path, row: Any, said: str) -> None:
    """NumPy has no missing integers: as a float, cast back, a missing id was -9,223,372,036,854,775,808."""
    folder = record(tmp_path / "run", steps=1)
    with_columns(folder, targets=pa.array([row, [3, 0, 0]] * 2, pa.list_(pa.int64())), weights=[1.0, 1.0, 1.0])
    for asks in (open_recorded(folder).batch, open_run(folder).batch):
        with pytest.raises(FormatError) as error:
            asks(0)
        assert str(error.value) == said
    run = open_run(folder)
    for question in (run.sequences, run.tokens, lambda: run.by("token")):
        with pytest.raises(FormatError) as error:
            question()
        said = f"`{folder}` is damaged: a timestep has no target, or a row's lists are not equally long."
        assert str(error.value) == said


def test_progress_of_a_scan_that_is_none_is_left_out(tmp_path: Path) -> None:
    sound = {"total": 5, "kept": 1, "scanned": 1, "timesteps": 9, "problems": {}, "state": "running", "at": 1.5}
    path = tmp_path / "scan-progress.json"
    for odd in (
        {"scanned": 10**400}, {"scanned": 100}, {"total": -1}, {"at": float("nan")}, {"at": True}, {"problems": [1]}
    ):  # fmt: skip
        path.write_text(json.dumps(sound | odd))
        assert read_progress(tmp_path) is None
    path.write_text(json.dumps(sound))
    assert read_progress(tmp_path).done == 2


def test_extreme_numbers_of_a_run_are_numbers_or_a_sentence(tmp_path: Path) -> None:
    """Whatever an integer or a float of a column can hold."""
    odd = [
        {"step": 2**63 - 1}, {"step": -(2**63)}, {"micro_batch": 2**31 - 1}, {"rank": -(2**31)}, {"length": 2**63 - 1},
        {"classes": 2**31 - 1}, {"loss": float("nan"), "reported": None}, {"reported": "\x1b[31m" * 1_000},
        {"weights": [3e38, 1e-40, -1.0]}, {"targets": [2**63 - 1, -(2**63), 0]},
    ]  # fmt: skip
    for number, columns in enumerate(odd):
        folder = record(tmp_path / str(number))
        with_columns(folder, **columns)
        run = open_run(folder)
        step = run.step_numbers[0]
        run.outline(), run.sequences(), run.by("token")
        with contextlib.suppress(FormatError, InputError):
            assert run.batch(step).targets.shape[1] == 3
        assert all(reason.endswith((".", "?")) for reason in identify_run(run).problems.values())
