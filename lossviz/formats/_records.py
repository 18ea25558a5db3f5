"""Rows of Arrow and Parquet as records, one per sequence: counted before their values become Python's.

Kept are numbers, truth values, texts, and lists of them; nothing else can be a field of a batch.
"""

from collections.abc import Iterator
from os import fsencode
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.errors import FormatError
from lossviz.formats._common import Source
from lossviz.unpacking import message_bytes

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Checked", "arrow_records", "is_kept", "records_of"]

OBJECT_BYTES = 40  # of a number as Python has it, in a list
MAGIC = b"ARROW1"
Checked = dict[tuple[int, ...], Any]


def is_kept(kind: "pyarrow.DataType") -> bool:
    """Whether a column of that type can be a field."""
    import pyarrow

    types = pyarrow.types
    while types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        kind = kind.value_type
    held = kind.value_type if types.is_dictionary(kind) else kind
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return bool(number or types.is_string(held) or types.is_large_string(held))


def records_of(batch: "pyarrow.RecordBatch", source: Source, checked: Checked) -> list[dict[str, Any]]:
    """The rows of a record batch, its offsets checked first: a damaged one would end the process (SIGSEGV).

    Args:
        batch: some rows.
        source: the file.
        checked: the dictionaries of the file that were checked with other rows; what a thousand batches share is
            looked through once.

    Raises:
        FormatError: they take more memory than the source may, or two columns have one name.
    """
    columns: dict[str, list[Any]] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if is_kept(column.type):
            if name in columns:
                raise FormatError(f"`{source.name}` has two columns called `{name}`. Keep one of them.")
            _check(column, checked)
            columns[name] = _values(column, source)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _check(column: "pyarrow.Array", checked: Checked) -> None:
    if not hasattr(column, "dictionary"):
        column.validate(full=True)
        return
    texts, numbers = column.dictionary, column.indices
    key = (len(texts), *(0 if part is None else part.address for part in texts.buffers()))
    if key not in checked:
        texts.validate(full=True)
        checked[key] = texts  # kept, so that no other one can come to stand there
    numbers.validate(full=True)
    numbers = numbers.drop_null().to_numpy(zero_copy_only=False)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(texts):
        raise IndexError("a text is named by a number that no text has")


def _values(column: "pyarrow.Array", source: Source) -> list[Any]:
    """One value a row: lists of numbers as arrays, everything else as Python has it."""
    import pyarrow

    if hasattr(column, "dictionary"):
        return _texts(column, source)
    leaves, gaps = column, 0
    while pyarrow.types.is_nested(leaves.type):
        source.budget.take(OBJECT_BYTES * len(leaves), "Save one batch.")
        leaves, gaps = leaves.flatten(), gaps + leaves.null_count
    if hasattr(leaves, "dictionary"):
        raise FormatError(f"`{source.name}` holds lists of texts by a dictionary. Save them as plain texts.")
    is_text = pyarrow.types.is_string(leaves.type) or pyarrow.types.is_large_string(leaves.type)
    if leaves is column or is_text or gaps + leaves.null_count:
        source.budget.take(OBJECT_BYTES * len(leaves) + column.nbytes, "Save one batch.")
        return list(column.to_pylist())
    source.budget.take(leaves.nbytes, "Save one batch.")
    return list(_arrays(column))


def _texts(column: "pyarrow.Array", source: Source) -> list[Any]:
    """Texts by their dictionary: a long one that is repeated stands in memory once for each record batch."""
    used = column.indices.drop_null().unique()
    texts = column.dictionary.take(used)
    source.budget.take(OBJECT_BYTES * (len(column) + len(texts)) + texts.nbytes, "Save one batch.")
    known = dict(zip(used.to_pylist(), texts.to_pylist(), strict=True))
    return [known.get(index) for index in column.indices.to_pylist()]


def _arrays(column: "pyarrow.Array") -> Any:
    """Nested lists of numbers: an array per row where the row is rectangular, else a list of arrays."""
    import pyarrow.compute

    if not pyarrow.types.is_nested(column.type):
        return column.to_numpy(zero_copy_only=False)
    inner = _arrays(column.flatten())
    ends = np.cumsum(pyarrow.compute.list_value_length(column).to_numpy(zero_copy_only=False))
    rows = [inner[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    return [_stacked(row) for row in rows] if isinstance(inner, list) else rows


def _stacked(rows: list[Any]) -> Any:
    alike = all(isinstance(row, np.ndarray) for row in rows) and len({row.shape for row in rows}) == 1
    return np.stack(rows) if alike else rows


def arrow_records(source: Source) -> Iterator[dict[str, Any]]:
    """The rows of an Arrow file, or of the stream that `datasets` writes.

    A file is a stream between two magic words. It is read as one, because the directory at its end may name one batch
    a thousand times.

    Raises:
        FormatError: it unpacks to more than the source may.
    """
    import pyarrow.ipc

    for message in pyarrow.ipc.MessageReader.open_stream(_stream(source)):
        source.budget.take(message_bytes(message), "Save one batch.")
    checked: Checked = {}
    with pyarrow.ipc.open_stream(_stream(source)) as batches:
        for batch in batches:
            yield from records_of(batch, source, checked)


def _stream(source: Source) -> Any:
    import pyarrow

    stream = pyarrow.OSFile(fsencode(source.path)) if source.path else pyarrow.BufferReader(source.data)
    stream.seek(8 if source.head(6) == MAGIC else 0)
    return stream
