"""Arrow shards to Parquet: smaller, and what every other tool reads. Rewrites, never computes."""

import uuid
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lossviz.errors import FormatError
from lossviz.recording._disk.manifest import read_manifest
from lossviz.recording._disk.reading import arrow_steps
from lossviz.recording._disk.schema import COLUMNS, arrow_schema
from lossviz.recording._disk.shards import shards

if TYPE_CHECKING:
    import pyarrow

__all__ = ["PARQUET_OPTIONS", "ROW_GROUP", "compact"]

ROW_GROUP = 256  # sequences per row group; a larger one costs memory while the trainer still runs
_FLOATS = [f"{column.name}.list.element" for column in COLUMNS if column.kind == "[float32]"]
_CODED = [column.name + (".list.element" if "[" in column.kind else "") for column in COLUMNS]
PARQUET_OPTIONS: dict[str, Any] = {
    "compression": "zstd",
    "use_dictionary": [name for name in _CODED if name not in _FLOATS],
    "column_encoding": dict.fromkeys(_FLOATS, "BYTE_STREAM_SPLIT"),
}
"""zstd; losses with their bytes split, which compresses floats best; everything else by dictionary."""


def compact(folder: str | Path, *, rank: int | None = None) -> tuple[Path, ...]:
    """Turn the Arrow shards of a run that is no longer recorded into Parquet.

    Args:
        folder: the run.
        rank: the only rank whose shards are compacted, or None for all.

    Returns:
        The Parquet files that were written.

    Raises:
        FormatError: if the folder holds no run, or a shard can't be read or written.
    """
    folder = Path(folder)
    run = read_manifest(folder).run
    return tuple(written for path in shards(folder, "arrow", rank) if (written := _compact_one(path, run)))


def _compact_one(path: Path, run: str) -> Path | None:
    import pyarrow
    import pyarrow.parquet

    target = path.with_suffix(".parquet")
    draft = path.with_suffix(f".{uuid.uuid4().hex}.draft")  # a name that no link in the folder can have
    groups = _groups(path, run)
    first = next(groups, None)
    if first is not None:
        try:
            with pyarrow.parquet.ParquetWriter(draft, arrow_schema(run), **PARQUET_OPTIONS) as writer:
                for group in chain([first], groups):
                    writer.write_table(group)
            draft.replace(target)
        except OSError as error:
            raise FormatError(f"`{target}` can't be written: {error.strerror or error}.") from None
        finally:
            for left in (draft, *path.parent.glob(f"{path.stem}*.draft")):  # of a process that was killed, too
                left.unlink(missing_ok=True)
    path.unlink()
    return None if first is None else target


def _groups(path: Path, run: str) -> "Iterator[pyarrow.Table]":
    """The rows of a stream, a row group at a time, so that compaction needs the memory of one."""
    import pyarrow

    held: list[pyarrow.RecordBatch] = []
    for batch in arrow_steps(path, run):
        held.append(batch)
        if sum(map(len, held)) >= ROW_GROUP:
            yield pyarrow.Table.from_batches(held)
            held = []
    if held:
        yield pyarrow.Table.from_batches(held)
