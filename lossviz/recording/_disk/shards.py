"""The files of a run's rows: Arrow streams while it is recorded, Parquet afterwards.

`steps-00000-000.arrow` is the first part that rank 0 wrote. Their rows are read in `reading`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lossviz.errors import FormatError, LossvizError
from lossviz.recording._disk.schema import COLUMNS, SCHEMA_VERSION, arrow_schema
from lossviz.unpacking import footer_of

if TYPE_CHECKING:
    import pyarrow

__all__ = [
    "ShardFooter",
    "check_schema",
    "next_part",
    "refusing",
    "shard_columns",
    "shard_footer",
    "shard_name",
    "shards",
]

_PATTERN = "steps-[0-9][0-9][0-9][0-9][0-9]-[0-9][0-9][0-9]"
_GONE = "A file of this run is no longer there: it was moved or deleted since the run was opened. Open it again."


def shard_name(rank: int, part: int, suffix: str) -> str:
    """The name of a shard.

    >>> shard_name(3, 0, "arrow")
    'steps-00003-000.arrow'
    """
    return f"steps-{rank:05d}-{part:03d}.{suffix}"


def shards(folder: Path, suffix: str = "*", rank: int | None = None) -> tuple[Path, ...]:
    """The shards of a folder in the order in which they were written, of one rank or of all.

    A part that stands as Parquet and as Arrow was compacted and not yet deleted: only its Parquet is taken.

    Raises:
        FormatError: if one is a pipe, from which reading would wait for ever, or a link that leads nowhere.
    """
    found = sorted(folder.glob(f"{_PATTERN}.{suffix}"))
    if odd := next((path for path in found if not path.is_file()), None):
        raise FormatError(f"`{odd}` is no file, but a pipe or a link that leads nowhere. Move it out of the folder.")
    whole = {path.stem for path in found if path.suffix == ".parquet"}
    return tuple(
        path
        for path in found
        if path.suffix in (".arrow", ".parquet")
        and (path.suffix == ".parquet" or path.stem not in whole)
        and (rank is None or path.name.startswith(f"steps-{rank:05d}-"))
    )


def next_part(folder: Path, rank: int) -> int:
    """The number of the next part that a rank writes."""
    return max((int(path.stem[-3:]) for path in shards(folder, rank=rank)), default=-1) + 1


def shard_columns(path: Path, run: str) -> frozenset[str]:
    """The names of a Parquet shard's columns.

    Raises:
        FormatError: if it can't be read or belongs to another run.
    """
    import pyarrow.parquet

    with refusing(f"`{path.name}` was cut off or damaged. Restore it from a copy, or delete it."):
        schema = pyarrow.parquet.read_schema(path)
        check_schema(schema, path, run)
        return frozenset(schema.names)


@dataclass(frozen=True)
class ShardFooter:
    """What a Parquet shard says of itself without its rows being read.

    Attributes:
        timesteps: how many there are, padding included.
        targets: the lowest and the highest target, or None where a row group does not say them.
        classes: the lowest V of its rows, or None where no row has one.
    """

    timesteps: int
    targets: tuple[int, int] | None
    classes: int | None


def shard_footer(path: Path) -> ShardFooter:
    """Read the footer of a Parquet shard.

    Raises:
        FormatError: if it can't be read.
    """
    with refusing(f"`{path.name}` was cut off or damaged. Restore it from a copy, or delete it."):
        with path.open("rb") as stream:
            groups = [{chunk.name: chunk for chunk in group.chunks} for group in footer_of(stream, path.name)]
        targets = [group["targets"].integers() for group in groups]
        classes = [group["classes"].integers() for group in groups if "classes" in group]
        known = [one for one in targets if one is not None]
        return ShardFooter(
            timesteps=sum(group["losses"].values for group in groups),
            targets=(min(low for low, _ in known), max(high for _, high in known)) if known == targets != [] else None,
            classes=min((one[0] for one in classes if one is not None), default=None),
        )


def check_schema(schema: "pyarrow.Schema", path: Path, run: str) -> None:
    """Refuse a shard of a newer schema, of another run, or of another making.

    Raises:
        FormatError: says which.
    """
    marks = {
        key.decode(errors="replace"): value.decode(errors="replace") for key, value in (schema.metadata or {}).items()
    }
    version = marks.get("lossviz.schema", "")
    if not version.isdecimal():
        raise FormatError(f"`{path.name}` was not written by a recorder of lossviz. Move it out of the folder.")
    if int(version) > SCHEMA_VERSION:
        raise FormatError(f"`{path.name}` has schema {version}; this lossviz reads up to {SCHEMA_VERSION}. Upgrade it.")
    if marks.get("lossviz.run") != run:
        raise FormatError(f"`{path.name}` belongs to another run than `run.json`. Move it to the folder of its run.")
    known = {field.name: field.type for field in arrow_schema(run)}
    missing = [column.name for column in COLUMNS if not column.optional and column.name not in schema.names]
    other = [field.name for field in schema if field.name in known and not _equal(field.type, known[field.name])]
    if missing or other:
        raise FormatError(
            f"`{path.name}` is damaged: its column `{(missing + other)[0]}` is missing or of another type."
        )


@contextmanager
def refusing(message: str) -> Iterator[None]:
    """Say one sentence instead of whatever pyarrow raises on a damaged file: it may break anywhere.

    Raises:
        FormatError: with that sentence.
    """
    try:
        yield
    except LossvizError:
        raise
    except FileNotFoundError:
        raise FormatError(_GONE) from None
    except Exception:
        raise FormatError(message) from None


def _equal(found: "pyarrow.DataType", wanted: "pyarrow.DataType") -> bool:
    """Whether two types are equal but for the name that Parquet gives to a list's entries."""
    import pyarrow

    lists = pyarrow.types.is_list(found) and pyarrow.types.is_list(wanted)
    return bool(found.value_type == wanted.value_type if lists else found == wanted)
