"""Files: bytes to plain arrays and back. Nothing here looks at what the arrays contain; `Batch.from_arrays` does.

>>> import io
>>> import numpy as np
>>> stream = io.BytesIO()
>>> write({"logits": np.zeros((1, 2, 3), np.float32), "targets": np.array([[1, 2]])}, stream, "npz")
>>> read(stream, name="batch.npz")["targets"]
array([[1, 2]])
"""

from collections.abc import Mapping
from importlib.util import find_spec
from os import PathLike
from pathlib import Path
from typing import IO, cast

from lossviz.errors import FormatError, NamesError
from lossviz.formats import csv_, npy, parquet_
from lossviz.formats._common import LIMITS, Fields, Format, Limits, Source, listing
from lossviz.formats._fields import ARRAYS, FIELDS, plain
from lossviz.formats._names import ALIASES, choose, propose
from lossviz.formats._opening import (
    FORMATS,
    PICKLES,
    find,
    only_format_errors,
    open_source,
    shown_name,
    take_timesteps,
    too_large,
)
from lossviz.formats._table import COLUMNS
from lossviz.formats.contents import READERS, contents

__all__ = [
    "ALIASES",
    "FIELDS",
    "FORMATS",
    "LIMITS",
    "READABLE",
    "Fields",
    "Format",
    "Limits",
    "NamesError",
    "contents",
    "find",
    "find_reader",
    "open_source",
    "plain",
    "propose",
    "read",
    "read_many",
    "write",
]

READABLE = (
    *(suffix for known in FORMATS for suffix in known.suffixes if suffix[1:] not in READERS),
    *(f".{suffix}" for suffix in READERS),
)
"""The endings of the files that `contents` reads."""
_TABLES = (csv_.FORMAT, parquet_.FORMAT)


def find_reader(name: str) -> None:
    """Check that `contents` reads files of that name.

    Raises:
        FormatError: nothing reads them, or only what is not installed.

    >>> find_reader("run/batch.jsonl")
    """
    suffix = Path(name).suffix.lower()
    if suffix[1:] not in READERS or (suffix in PICKLES and find_spec("torch") is None):
        find(name)


def read(
    source: str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes],
    *,
    name: str | None = None,
    names: Mapping[str, str] | None = None,
) -> Fields:
    """Read a file as the arguments of `Batch.from_arrays`.

    Args:
        source: a path, an upload's bytes, or a stream of bytes.
        name: the name of an upload's file; its suffix chooses the format.
        names: from lossviz names to the file's own, such as {"targets": "labels"}; for a table, names of columns.
            None refuses a file whose other arrays look like ones that would change the number; `{}` leaves them out.

    Returns:
        A dict with whichever of `FIELDS` the file has: arrays, integers, texts, and `vocabulary` as a list of texts.

    Raises:
        FormatError: the file can't be read.
        NamesError: its arrays have other names; `arrays` holds what was found.

    >>> read(b'{"logits": [[[0.5, 0.25]]], "targets": [[1]], "lengths": [1]}', name="batch.json")["logits"].tolist()
    [[[0.5, 0.25]]]
    """
    with only_format_errors(shown_name(source, name)):
        return _read(open_source(source, name), names)


def read_many(
    files: Mapping[str, bytes | bytearray | memoryview | IO[bytes]], *, names: Mapping[str, str] | None = None
) -> Fields:
    """Read files that were uploaded together: one of any format, or several .npy arrays.

    Args:
        files: the bytes by the file's name.
        names: as in `read`.

    Raises:
        FormatError: the files can't be read, or not together.
        NamesError: their arrays have other names.
    """
    with only_format_errors(listing(files, most=3)):
        return _read_parts({name: open_source(content, name) for name, content in files.items()}, names)


def _read_parts(parts: Mapping[str, Source], names: Mapping[str, str] | None) -> Fields:
    if len(parts) == 1:
        return _read(next(iter(parts.values())), names)
    if not parts:
        raise FormatError("No file was given. Choose one, or several .npy files that belong together.")
    if other := [name for name in parts if find(name) is not npy.FORMAT]:
        raise FormatError(f"`{other[0]}` can't be read together with other files; only .npy files can. Open it alone.")
    total = sum(part.size for part in parts.values())
    if total > LIMITS.upload_bytes:
        raise too_large("The files together are", total, "them")
    fields = take_timesteps(npy.read_parts(parts), max(parts.values(), key=lambda part: part.size))
    return choose(fields, names, listing(parts))


def _read(source: Source, names: Mapping[str, str] | None) -> Fields:
    """Choose the format by the name, read, and pick the fields; a table picks its columns itself."""
    known = find(source.name)
    if source.size == 0:
        raise FormatError(f"`{source.name}` is empty. Save or copy it again.")
    if known in _TABLES:
        columns = None if names is None else {COLUMNS.get(name, name): key for name, key in names.items()}
        arrays = take_timesteps(known.read(source, columns), source)
        return {field: plain(field, arrays[field], source.name) for field in FIELDS if field in arrays}
    return choose(take_timesteps(known.read(source, names), source), names, source.name)


def write(fields: Fields, target: str | PathLike[str] | IO[bytes], format: str | None = None) -> None:  # noqa: A002
    """Write fields to a path or a stream; what is None is left out.

    Args:
        fields: by the argument names of `Batch.from_arrays`; `targets`, and `logits` or `losses`, at least.
        target: a path, or a stream of bytes.
        format: the name of a format; without one the path's suffix chooses.

    Raises:
        FormatError: the format can't hold the fields, or the file can't be written.

    >>> from io import BytesIO
    >>> stream = BytesIO()
    >>> write({"logits": [[[0.5, 0.25]]], "targets": [[1]]}, stream, "npz")
    >>> read(stream.getvalue(), name="batch.npz")["targets"].tolist()
    [[1]]
    """
    path = Path(target) if isinstance(target, str | PathLike) else None
    known = find(format or (path.name if path else "a stream"))
    if unknown := [name for name in fields if name not in FIELDS]:
        raise FormatError(f"`{unknown[0]}` is no field; known are {listing(FIELDS, 'and', 24)}.")
    given = {name: plain(name, value, "fields") for name, value in fields.items() if value is not None}
    held = "losses" if "losses" in given else "log_probs" if "log_probs" in given else "logits"
    if missing := [name for name in (held, "targets") if name not in given]:
        raise FormatError(
            f"The fields lack {listing(f'`{name}`' for name in missing)}; a file needs logits and targets."
        )
    if objects := [name for name in ARRAYS if name in given and given[name].dtype.hasobject]:
        raise FormatError(f"`{objects[0]}` holds Python objects; only arrays of numbers can be written.")
    try:
        known.write(given, path or cast(IO[bytes], target))
    except (OSError, UnicodeEncodeError) as error:
        raise FormatError(f"`{path or 'the stream'}` can't be written: {error}.") from None
