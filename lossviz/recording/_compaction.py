"""Arrow shards to Parquet: smaller, and what every other tool reads. Rewrites, never computes."""

from pathlib import Path

from lossviz.errors import FormatError
from lossviz.recording._manifest import read_manifest
from lossviz.recording._schema import COLUMNS, arrow_schema
from lossviz.recording._shards import arrow_steps, shards

__all__ = ["compact"]

_GROUP = 1024  # sequences a row group
_FLOATS = [f"{column.name}.list.element" for column in COLUMNS if column.kind == "[float32]"]


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

    batches = list(arrow_steps(path, run))
    target, draft = path.with_suffix(".parquet"), path.with_suffix(".draft")
    schema = arrow_schema(run)
    if batches:
        table = pyarrow.Table.from_batches(batches, schema).replace_schema_metadata(schema.metadata)
        try:
            pyarrow.parquet.write_table(table, draft, **_parquet_options())
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise FormatError(f"`{target}` can't be written: {error.strerror or error}.") from None
        draft.replace(target)
    path.unlink()
    return target if batches else None


def _parquet_options() -> dict[str, object]:
    """zstd; losses with their bytes split, which compresses floats best; everything else by dictionary."""
    split = dict.fromkeys(_FLOATS, "BYTE_STREAM_SPLIT")
    coded = [column.name + (".list.element" if "[" in column.kind else "") for column in COLUMNS]
    return {
        "compression": "zstd",
        "row_group_size": _GROUP,
        "use_dictionary": [name for name in coded if name not in split],
        "column_encoding": split,
    }
