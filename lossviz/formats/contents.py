"""Everything that a file holds, by its own names: what the layouts choose from.

Files of plain fields give what `read` gives. Lists of unequal lengths stay lists; records (one JSON object per line, or
a table with lists in its cells) become one list per field; nested objects stay as they are.
"""

import struct
from collections.abc import Mapping
from os import PathLike
from typing import IO, Any

import numpy as np

from lossviz.errors import FormatError, NamesError
from lossviz.formats._common import Fields, Source, check_count
from lossviz.formats._opening import find, only_format_errors, open_source, shown_name, take_timesteps
from lossviz.formats._records import Checked, arrow_records, is_kept, records_of
from lossviz.formats.json_ import fields_in, nested
from lossviz.formats.text.parse_json import parse_source

__all__ = ["EXTRA", "READERS", "contents", "from_records"]

EXTRA = (
    "attention_mask", "completion_mask", "cu_seqlens", "decoder_input_ids", "labels", "loss", "loss_mask",
    "num_items_in_batch", "position_ids", "shift_labels",
)  # fmt: skip
"""Fields that are looked for beside those of lossviz, where a format has to be told what to look for."""

_BATCH = 1024  # rows
Given = str | PathLike[str] | bytes | bytearray | memoryview | IO[bytes]


def contents(source: Given, *, name: str | None = None) -> Fields:
    r"""Read everything that a file holds.

    Args:
        source: a path, an upload's bytes, or a stream of bytes.
        name: the name of an upload's file; its suffix chooses the format.

    Raises:
        FormatError: the file can't be read.

    >>> contents(b'{"logits": [[[0.5, 0.25]]], "labels": [[1]]}', name="batch.json")["labels"].tolist()
    [[1]]
    >>> contents(b'{"labels": [1, 2]}\n{"labels": [3]}', name="batch.jsonl")["labels"]
    [array([1, 2]), array([3])]
    """
    with only_format_errors(shown_name(source, name)):
        opened = open_source(source, name)
        if opened.size == 0:
            raise FormatError(f"`{opened.name}` is empty. Save or copy it again.")
        suffix = opened.name.lower().rpartition(".")[2]
        if suffix in READERS:
            return take_timesteps(READERS[suffix](opened), opened)
        known = find(opened.name)
        fields = known.read(opened, None if known.name == "csv" else {key: key for key in EXTRA})
        return dict(take_timesteps(fields, opened))


def from_records(records: list[Mapping[str, Any]], file: str) -> Fields:
    """One list a field from one record a sequence; a field that every record lacks or holds alike stays single.

    >>> from_records([{"labels": [1, 2], "pad_id": 0}, {"labels": [3, 4], "pad_id": 0}], "a.jsonl")["pad_id"]
    array(0)
    """
    if not records:
        raise FormatError(f"`{file}` holds no row. Write one row per sequence.")
    keys = list(dict.fromkeys(key for record in records for key in record))
    fields: Fields = {}
    for key in keys:
        column = [record.get(key) for record in records]
        if any(value is None for value in column) and not _holds_objects(column):
            if key in ("logits", "targets", "labels", "input_ids"):
                row = next(row for row, value in enumerate(column) if value is None)
                raise FormatError(f"Row {row} of `{file}` has no `{key}`, which other rows have.")
            continue
        fields[key] = _column(key, column)
    return fields


def _holds_objects(column: list[Any]) -> bool:
    """Whether every value that is there is a list of objects: not every piece of a server's answer has one."""
    known = [value for value in column if value is not None]
    return bool(known) and all(isinstance(value, list) and value and isinstance(value[0], dict) for value in known)


def _column(key: str, column: list[Any]) -> Any:
    if all(isinstance(value, list | np.ndarray) for value in column):
        rows = [_value(key, value) for value in column]
        arrays = all(isinstance(row, np.ndarray) for row in rows)
        return np.stack(rows) if arrays and len({row.shape for row in rows}) == 1 else rows
    if isinstance(column[0], str) or key in ("pad_id", "eos_id", "ignore_id", "reported", "title"):
        return np.asarray(column[0]) if all(value == column[0] for value in column) else column
    return np.asarray(column) if all(isinstance(value, int | float) for value in column) else column


def _value(key: str, value: Any) -> Any:
    """A JSON value as an array where it is rectangular numbers, else as it is; ragged lists as lists of arrays."""
    if not isinstance(value, list):
        return value if value is None or isinstance(value, str | dict | np.ndarray) else np.asarray(value)
    if value and all(isinstance(item, str) for item in value):
        return value
    if None in value and any(isinstance(item, float) for item in value):
        value = [float("nan") if item is None else item for item in value]  # a number that was not recorded
    try:
        return nested(value, key)
    except FormatError:
        return [_value(key, item) for item in value] if all(isinstance(item, list) for item in value) else value


def _json(source: Source) -> Fields:
    document = parse_source(source)
    if isinstance(document, list) and document and all(isinstance(item, dict) for item in document):
        return from_records(document, source.name)
    if not isinstance(document, dict) or "dtypes" in document:
        return fields_in(document, source, {key: key for key in EXTRA})
    check_count(len(document), source.name)
    fields = {key: _value(key, value) for key, value in document.items()}
    return {key: _floating(key, value) for key, value in fields.items() if value is not None}


def _floating(key: str, value: Any) -> Any:
    whole = key == "logits" and isinstance(value, np.ndarray) and value.dtype.kind in "iub"
    return value.astype(np.float32) if whole else value


def _lines(source: Source) -> Fields:
    """One JSON object per line."""
    lines = [line for line in source.encoded().splitlines() if line.strip()]
    records = [parse_source(source, line, f"line {number} of {source.name}") for number, line in enumerate(lines, 1)]
    if odd := next((number for number, record in enumerate(records, 1) if not isinstance(record, dict)), None):
        raise FormatError(
            f"Line {odd} of `{source.name}` is no JSON object; each line holds the fields of one sequence."
        )
    return _single(records[0]) if len(records) == 1 else from_records(records, source.name)


def _single(record: Mapping[str, Any]) -> Fields:
    """The only line: a whole batch where its targets have rows, else one sequence."""
    fields = {key: _value(key, value) for key, value in record.items() if value is not None}
    labels = next((fields[key] for key in ("targets", "labels", "input_ids") if key in fields), None)
    if isinstance(labels, np.ndarray) and labels.ndim == 1:
        return from_records([record], "the only line")
    return fields


def _parquet(source: Source) -> Fields:
    """A long-form table as ever; else one row per sequence, with lists in its cells."""
    try:
        return dict(find("parquet").read(source, None))
    except NamesError:
        from lossviz.formats.parquet_ import opened_parquet, take_columns

        with opened_parquet(source) as file:
            kept = [field.name for field in file.schema_arrow if is_kept(field.type)]
            take_columns(kept, source)
            batches, checked = file.iter_batches(_BATCH, columns=kept), Checked()
            records: list[Mapping[str, Any]] = [
                record for batch in batches for record in records_of(batch, source, checked)
            ]
            return from_records(records, source.name)


def _arrow(source: Source) -> Fields:
    """An Arrow file, or the stream that `datasets` writes: one row per sequence, with lists in its cells."""
    import pyarrow

    try:
        return from_records(list(arrow_records(source)), source.name)
    except (pyarrow.ArrowException, struct.error, IndexError, OSError) as error:
        reason = str(error).split("\n")[0].rstrip(".")[:120]
        raise FormatError(
            f"`{source.name}` was cut off or is no Arrow file: {reason}. Save or copy it again."
        ) from None


def _pt(source: Source) -> Fields:
    """A dict of tensors, by `torch.load(weights_only=True)`, which runs no code."""
    from lossviz.formats.pt import read_tensors

    return read_tensors(source)


READERS = {
    "json": _json,
    "jsonl": _lines,
    "ndjson": _lines,
    "parquet": _parquet,
    "arrow": _arrow,
    "feather": _arrow,
    "pt": _pt,
    "pth": _pt,
}
"""By a file name's ending: the readers that know more than `read`, or other files."""
