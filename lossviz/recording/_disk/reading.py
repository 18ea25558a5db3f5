"""The rows of a run's files, counted before they are unpacked: a run may come from anybody.

A stream that was cut off gives the steps before the cut.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from lossviz.recording._disk.schema import COLUMNS, arrow_schema
from lossviz.recording._disk.shards import check_schema, refusing
from lossviz.unpacking import Budget, Group, footer_of, message_bytes, unpacked_size

if TYPE_CHECKING:
    import pyarrow

__all__ = ["MOST_BYTES", "arrow_steps", "first_rows", "read_shard"]

MOST_BYTES = 8 * 2**30
"""What is read of a file at once, unpacked: as much as of any file on disk that is opened."""

_TEXTS = [column.name for column in COLUMNS if column.kind == "string"]
_WAY_OUT = "Record fewer sequences a step."


def arrow_steps(path: Path, run: str) -> "Iterator[pyarrow.RecordBatch]":
    """Read a stream up to its end, or to where it was cut off.

    Raises:
        FormatError: if it is no Arrow stream, of another run, its rows contradict themselves, or they are too large.
    """
    import pyarrow
    import pyarrow.ipc

    with refusing(f"`{path.name}` is not an Arrow stream, or was cut off before its first step."):
        if path.stat().st_size == 0:
            return
        stream = pyarrow.OSFile(str(path))  # a map would end the process (SIGBUS) if it is cut
        messages = pyarrow.ipc.MessageReader.open_stream(stream)
        schema = pyarrow.ipc.read_schema(messages.read_next_message())
        check_schema(schema, path, run)
    while True:
        try:
            message = messages.read_next_message()
            _budget(path).take(message_bytes(message), _WAY_OUT)
            batch = pyarrow.ipc.read_record_batch(message, schema)
        except (StopIteration, struct.error, IndexError, pyarrow.ArrowException, OSError):
            return  # the end, or where the recording was cut off
        with refusing(f"`{path.name}` is damaged: its rows are inconsistent. Restore it from a copy."):
            batch.validate(full=True)
        yield batch


def read_shard(path: Path, run: str, columns: list[str] | None = None, step: int | None = None) -> "pyarrow.Table":
    """Read a shard's rows, of one step or of all; columns of newer versions are left out, absent ones are null.

    Raises:
        FormatError: if it can't be read, belongs to another run, or unpacks to too much.
    """
    names = columns or [column.name for column in COLUMNS]
    if path.suffix == ".arrow" and not path.exists():
        path = path.with_suffix(".parquet")  # the recorder was closed since, and compacted it to the same rows
    with refusing(f"`{path.name}` was cut off or damaged. Restore it from a copy, or delete it."):
        if path.suffix == ".parquet":
            return _completed(_parquet_rows(path, run, names, step), names, path)
        return _completed(_stream_rows(path, run, names, step), names, path)


def first_rows(table: "pyarrow.Table") -> "pyarrow.Table":
    """The first row of each micro-batch, whose numbers all its rows repeat."""
    keys = [np.asarray(table[name]) for name in ("step", "rank", "micro_batch")]
    new = np.ones(len(table), bool)
    new[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return table.take(np.flatnonzero(new))


def _stream_rows(path: Path, run: str, names: list[str], step: int | None) -> "pyarrow.Table":
    import pyarrow

    budget, batches = _budget(path), []
    for batch in arrow_steps(path, run):
        if len(batch) and (step is None or batch["step"][0].as_py() == step):
            batches.append(batch.select([name for name in names if name in batch.schema.names]))
            budget.take(batches[-1].nbytes, _WAY_OUT)
    return pyarrow.Table.from_batches(batches) if batches else arrow_schema(run).empty_table()


def _parquet_rows(path: Path, run: str, names: list[str], step: int | None) -> "pyarrow.Table":
    import pyarrow.compute
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(path)
    check_schema(schema, path, run)
    present = [name for name in names if name in schema.names]
    texts = [name for name in _TEXTS if name in present]  # a long one that is repeated stands in memory once
    with path.open("rb") as stream:
        footer = footer_of(stream, path.name)
        groups = [place for place, group in enumerate(footer) if step is None or _may_hold(group, step)]
        _count([footer[place] for place in groups], present, path, stream)
    with pyarrow.parquet.ParquetFile(path, read_dictionary=texts) as file:
        table = file.read_row_groups(groups, columns=present)
    table.validate(full=True)
    return table if step is None else table.filter(pyarrow.compute.equal(table["step"], step))


def _may_hold(group: Group, step: int) -> bool:
    """Whether a row group may hold a step, by what the footer says of it."""
    ends = next((chunk.integers() for chunk in group.chunks if chunk.path == "step"), None)
    return ends is None or ends[0] <= step <= ends[1]


def _count(groups: list[Group], names: list[str], path: Path, stream: IO[bytes]) -> None:
    """Count what columns take in memory: single values by the rows that are read, lists by their pages."""
    budget = _budget(path)
    for group in groups:
        budget.take(8 * group.rows * len(names), _WAY_OUT)
        for chunk in group.chunks:
            if chunk.path != chunk.name in names:
                budget.take(unpacked_size(stream, chunk, path.name), _WAY_OUT)


def _completed(table: "pyarrow.Table", names: list[str], path: Path) -> "pyarrow.Table":
    """The named columns in their order, null where a shard has none; the texts written out, once they are counted."""
    import pyarrow
    import pyarrow.compute

    budget = _budget(path)
    for part in (part for name in _TEXTS if name in table.column_names for part in table[name].chunks):
        if hasattr(part, "dictionary"):
            sizes = pyarrow.compute.binary_length(part.dictionary).take(part.indices)
            budget.take(pyarrow.compute.sum(sizes).as_py() or 0, _WAY_OUT)
    kinds = {field.name: field.type for field in arrow_schema("")}
    columns = [
        table[name].cast(kinds[name]) if name in table.column_names else pyarrow.nulls(len(table), kinds[name])
        for name in names
    ]
    return pyarrow.table(columns, names=names)


def _budget(path: Path) -> Budget:
    return Budget(path.name, path.stat().st_size, MOST_BYTES)
