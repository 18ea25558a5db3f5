"""A run that is written a shard at a time, by whoever computes losses beside training: whole shards, or none.

A shard is the work of one process on one file. It gets its name when it is complete, and says what it was made from; so
what is done can be told from what was begun, on any machine that sees the folder.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from lossviz.errors import FormatError, LossvizError
from lossviz.recording._arguments import recorded_step
from lossviz.recording._disk.compaction import PARQUET_OPTIONS, ROW_GROUP
from lossviz.recording._disk.manifest import Manifest, read_manifest, vocabulary_digest, write_json
from lossviz.recording._disk.run import Run
from lossviz.recording._disk.schema import arrow_schema
from lossviz.recording._disk.shards import check_schema, refusing, shard_name
from lossviz.recording._settings import RecordingSettings
from lossviz.version import __version__

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "MOST_SHARDS",
    "RunHead",
    "ShardWriter",
    "create_run",
    "drop_shard",
    "read_head",
    "shard_source",
    "write_json",
]

MOST_SHARDS = 100_000
_SOURCE = "lossviz.source"


@dataclass(frozen=True)
class RunHead:
    """What a run says of itself, whether or not it has a step yet.

    Attributes:
        run: its id.
        trainer: what writes it.
        settings: pad_id, eos_id, and what else is to be known of it.
        vocabulary: the tokens in the order of their ids, or None.
    """

    run: str
    trainer: str
    settings: dict[str, Any]
    vocabulary: tuple[str, ...] | None


def create_run(
    folder: Path, *, trainer: str, settings: Mapping[str, Any], vocabulary: Sequence[str] | None = None
) -> RunHead:
    """Make the folder of a run, unless it holds one already.

    Args:
        folder: the folder, which is made where it does not exist.
        trainer: what writes it.
        settings: pad_id, eos_id, and what else is to be known of it.
        vocabulary: the tokens in the order of their ids.

    Returns:
        What the run that is there then says of itself.

    Raises:
        FormatError: if the folder can't be written, or holds something else under the names of a run.
    """
    words = list(vocabulary or ())
    digest = {"size": len(words), "sha256": vocabulary_digest(words)} if words else None
    manifest = Manifest(lossviz=__version__, trainer=trainer, settings=dict(settings), vocabulary=digest)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if words:
            write_json(folder / "vocabulary.json", words)
        manifest.create(folder)
    except OSError as error:
        raise FormatError(f"`{folder}` can't be written: {error.strerror or error}. Choose another folder.") from None
    return read_head(folder)


def read_head(folder: Path) -> RunHead:
    """What the run in a folder says of itself.

    Raises:
        FormatError: if it holds none, or its vocabulary is not the one of `run.json`.
    """
    manifest = read_manifest(folder)
    words = Run(folder, manifest, (), ()).vocabulary
    return RunHead(manifest.run, manifest.trainer, manifest.settings, words)


def shard_source(folder: Path, run: str, number: int) -> str | None:
    """What a complete shard was made from, in the words of who wrote it; None where there is none, or another run's."""
    import pyarrow.parquet

    path = folder / shard_name(number, 0, "parquet")
    if not path.exists():
        return None
    try:
        with refusing(f"`{path.name}` was cut off or damaged."):
            schema = pyarrow.parquet.read_schema(path)
            check_schema(schema, path, run)
            return str((schema.metadata or {})[_SOURCE.encode()].decode())
    except LossvizError:
        return None


def drop_shard(folder: Path, number: int) -> None:
    """Delete a shard, if it is there."""
    (folder / shard_name(number, 0, "parquet")).unlink(missing_ok=True)


class ShardWriter:
    """One shard of a run, a Parquet file: it appears under its name when all its rows are written.

    Args:
        folder: of the run.
        run: its id.
        number: of the shard; it stands in the column `rank`.
        source: what it is made from; `shard_source` gives it back.
        logits: "auto" keeps logits of up to 1 MiB an `add`, "never" none.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = Path(name) / "run"
    ...     run = create_run(folder, trainer="example", settings={}).run
    ...     with ShardWriter(folder, run, 3, source="a.npz") as shard:
    ...         shard.add([[1, 2]], step=7, first_row=0, rows=1, losses=[[0.5, 2.0]])
    ...     sorted(path.name for path in folder.iterdir()), shard_source(folder, run, 3)
    (['run.json', 'steps-00003-000.parquet'], 'a.npz')
    """

    def __init__(self, folder: Path, run: str, number: int, *, source: str, logits: str = "never") -> None:
        self._path = folder / shard_name(number, 0, "parquet")
        self._draft = self._path.with_suffix(f".{uuid.uuid4().hex}.draft")
        self._run, self._source = run, source
        self._settings = RecordingSettings(every=1, sequences=2**62, rank=number, world=1, logits=logits)
        self._held: list[pyarrow.RecordBatch] = []
        self._writer: Any = None

    def add(self, targets: Any, *, step: int, first_row: int, rows: int, **arrays: Any) -> None:
        """Write some rows of a batch.

        Args:
            targets: [R, T] integers.
            step: the number of the batch.
            first_row: which row of the batch is the first of these.
            rows: how many rows the batch has in all.
            arrays: as those of `Recorder.step`.

        Raises:
            InputError: if an array is missing, unknown, or does not fit the targets.
        """
        done = recorded_step(step, targets, arrays, self._settings)
        done.row, done.rows = done.row + first_row, rows
        self._held.append(done.record_batch(self._run))
        if sum(map(len, self._held)) >= ROW_GROUP:
            self._write()

    def __enter__(self) -> Self:
        import pyarrow.parquet

        schema = arrow_schema(self._run)
        marked = schema.with_metadata({**schema.metadata, _SOURCE: self._source})
        self._writer = pyarrow.parquet.ParquetWriter(self._draft, marked, **PARQUET_OPTIONS)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if error is None:
                self._write()
            self._writer.close()
            if error is None:
                self._draft.replace(self._path)
        finally:
            self._draft.unlink(missing_ok=True)
        if error is None:
            for left in self._path.parent.glob(f"{self._path.stem}.*.draft"):  # of a process that was killed
                left.unlink(missing_ok=True)

    def _write(self) -> None:
        import pyarrow

        if self._held:
            self._writer.write_table(pyarrow.Table.from_batches(self._held))
            self._held = []
