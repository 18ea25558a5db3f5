"""A table in columns, long form: what pandas, Spark and DuckDB write.

The same columns as the CSV table, with one row per timestep or one row per class. lossviz itself writes a third way:
one row per timestep, with all its logits as a list in the column `logits`.

| sequence | timestep | target | length | logits |
|---|---|---|---|---|
| 0 | 0 | 1 | 2 | [0.5, 2.0, -1.0] |
| 0 | 1 | 2 | 2 | [0.1, 0.2, 3.0] |

- The file's metadata holds under `lossviz` what no column can, as JSON: `pad_id`, `title`, `vocabulary`, `dtypes`….
- Dtypes are kept; bfloat16, which Parquet does not know, is stored as float32.
- Losses without logits are in `loss` or `log_prob`, as in the CSV table; a value missing there was not recorded.
- Other missing values are refused. Only the columns that are needed are read.
- What the columns unpack to is counted page by page before anything is unpacked, 8 bytes per value or more:
  1 GiB for an upload, 8 GiB for a file on disk.
"""

import json
from collections.abc import Iterable, Mapping
from io import BytesIO
from os import fsencode
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lossviz.errors import FormatError
from lossviz.formats import _table
from lossviz.formats._common import Fields, Format, Source, Target, replacing
from lossviz.formats._fields import FIELDS
from lossviz.formats.json_ import cast
from lossviz.formats.text.parse_json import parse_rest
from lossviz.unpacking import footer_of, unpacked_size

if TYPE_CHECKING:
    import pyarrow
    import pyarrow.parquet

_KEY = b"lossviz"
_BLOCK = 256


def read(source: Source, names: Mapping[str, str] | None = None) -> Fields:
    """Read a long-form table as arrays.

    Raises:
        FormatError: it is no Parquet file, was cut off, unpacks to too much, or has missing values or rows.
        NamesError: a column that every table needs is not there.
    """
    import pyarrow
    import pyarrow.parquet

    if not source.head().startswith(b"PAR1"):
        raise source.wrong("a Parquet file", "Write the table with `DataFrame.to_parquet`.")
    try:
        with opened_parquet(source) as file:
            rest = parse_rest(((file.schema_arrow.metadata or {}).get(_KEY) or b"{}").decode(), source.name)
            columns, logits = _columns(file, names, source)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).split("\n")[0].rstrip(".")[:120]
        raise FormatError(f"`{source.name}` was cut off or damaged: {reason}. Save or copy it again.") from None
    fields = _table.assemble(columns, logits, lambda row: f"row {row}", source.name)
    return cast(fields, rest.pop("dtypes", {}), source.name) | {
        name: rest[name] for name in FIELDS if rest.get(name) is not None
    }


def opened_parquet(source: Source) -> "pyarrow.parquet.ParquetFile":
    """Open a file, its texts by their dictionaries: a long one that is repeated stands in memory once."""
    import pyarrow.parquet

    schema = pyarrow.parquet.read_schema(_content(source))
    texts = [field.name for field in schema if _is_text(field.type)]
    return pyarrow.parquet.ParquetFile(_content(source), read_dictionary=texts)


def _content(source: Source) -> Any:
    """What pyarrow reads from; as a text it takes no name that is not UTF-8."""
    import pyarrow

    return pyarrow.OSFile(fsencode(source.path)) if source.path else BytesIO(source.data)


def take_columns(names: Iterable[str], source: Source) -> None:
    """Count what columns unpack to, by what their pages say: a run of equal values takes a few bytes in the file.

    Raises:
        FormatError: they unpack to more than the source may.
    """
    wanted = frozenset(names)
    with source.open() as stream:
        for group in footer_of(stream, source.name):
            for chunk in group.chunks:
                if group.rows and (chunk.path in wanted or chunk.name in wanted):
                    declared = max(8 * chunk.values, chunk.unpacked)
                    source.budget.take(max(declared, unpacked_size(stream, chunk, source.name)), "Save it as .npz.")


def _columns(
    file: "pyarrow.parquet.ParquetFile", names: Mapping[str, str] | None, source: Source
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[Any] | None]:
    """The columns by the long form's names, and the logits [rows, V] where a row holds all its classes."""
    schema = file.schema_arrow
    lists = (names or {}).get("logit", "logits")
    listed = lists in schema.names and _is_list(schema.field(lists).type)
    wide = [lists] if listed else _table.wide_columns(schema.names, names)
    logits = frozenset(wide)
    plain = {
        name: np.broadcast_to(np.zeros((), _dtype(schema.field(name).type)), file.metadata.num_rows)
        for name in schema.names
        if name not in logits
    }
    own = {id(value): name for name, value in plain.items()}
    chosen = {name: own[id(value)] for name, value in _table.rename(plain, names, source.name, bool(wide)).items()}
    chosen = {name: key for name, key in chosen.items() if name != "token" or not wide}
    for name, key in [*chosen.items(), *(("logit", key) for key in wide if not listed)]:
        _require_type(key, schema.field(key).type, name)
    take_columns([*chosen.values(), *wide], source)
    columns = {name: _column(file, key, name) for name, key in chosen.items()}
    if not wide:
        return columns, None
    if listed:
        return columns, _lists(file, lists)
    return columns, np.stack([_column(file, name, "logit") for name in wide], axis=1)


def _is_list(kind: "pyarrow.DataType") -> bool:
    import pyarrow

    types = pyarrow.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_text(kind: "pyarrow.DataType") -> bool:
    import pyarrow

    types = pyarrow.types
    held = kind.value_type if types.is_dictionary(kind) else kind
    return bool(types.is_string(held) or types.is_large_string(held))


def _dtype(kind: "pyarrow.DataType") -> np.dtype[Any]:
    """The NumPy dtype of a column; text for what is neither a number nor a truth value."""
    try:
        dtype = np.dtype(kind.to_pandas_dtype())
    except (NotImplementedError, TypeError):
        return np.dtype("U1")
    return dtype if dtype.kind in "biuf" else np.dtype("U1")


def _column(file: "pyarrow.parquet.ParquetFile", key: str, name: str) -> npt.NDArray[Any]:
    column = file.read([key]).column(0)
    if column.null_count and _table.may_be_missing(name):  # pandas writes NaN so
        return np.asarray(column.to_numpy(), np.float64)
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise FormatError(f"Row {row}, column `{key}` is missing. Write a number, or NaN where there is none.")
    return _texts(column) if name == "token" else np.asarray(column.to_numpy())


def _require_type(key: str, kind: "pyarrow.DataType", name: str) -> None:
    """Refuse a column of another type before it is read: binary values that repeat unpack to far more than numbers."""
    if name == "token" and not _is_text(kind):
        raise FormatError(f"Column `{key}` must hold text; got {kind}.")
    if name != "token" and _dtype(kind).kind == "U":
        raise FormatError(f"Column `{key}` must hold numbers; got {kind}.")


def _texts(column: "pyarrow.ChunkedArray") -> npt.NDArray[Any]:
    """Texts through their dictionary, so that a long one that is repeated stands in memory once."""
    encoded = column.combine_chunks()
    encoded = encoded if hasattr(encoded, "dictionary") else encoded.dictionary_encode()
    texts = np.array([*encoded.dictionary.to_pylist(), ""], dtype=object)
    return np.asarray(texts[encoded.indices.to_numpy(zero_copy_only=False)])


def _lists(file: "pyarrow.parquet.ParquetFile", key: str) -> npt.NDArray[Any]:
    """The logits [rows, V] from a column of lists of one length."""
    whole, rows = np.zeros((0, 0)), 0
    for batch in file.iter_batches(_BLOCK, columns=[key]):
        block = _block(batch.column(0), key, rows, whole.shape[1] if rows else None)
        if not rows:
            whole = np.empty((file.metadata.num_rows, block.shape[1]), block.dtype)
        whole[rows : rows + len(block)] = block
        rows += len(block)
    return whole


def _block(column: "pyarrow.Array", key: str, first: int, width: int | None) -> npt.NDArray[Any]:
    import pyarrow.compute

    lengths = pyarrow.compute.list_value_length(column).to_pylist()
    width = lengths[0] if width is None else width
    odd = next((row for row, length in enumerate(lengths) if length is None or length != width), None)
    if odd is not None:
        raise FormatError(
            f"Row {first + odd}, column `{key}` has {lengths[odd] or 0} logits, but row 0 has {width or 0}. Give each "
            "timestep V numbers."
        )
    flat = column.flatten()
    if flat.null_count:
        row = first + flat.is_null().to_pylist().index(True) // width
        raise FormatError(f"Row {row}, column `{key}` has a missing logit. Write a number, or NaN where there is none.")
    if _dtype(flat.type).kind == "U":
        raise FormatError(f"Column `{key}` must hold lists of numbers; got {column.type}.")
    return np.asarray(flat.to_numpy(zero_copy_only=False)).reshape(len(lengths), width)


def write(fields: Fields, target: Target) -> None:
    """Write one row per timestep with its logits as a list, and as metadata what no column can hold."""
    import pyarrow
    import pyarrow.parquet

    columns, logits, rest = _table.unassemble(fields)
    arrays = {name: pyarrow.array(_table.widened(column)) for name, column in columns.items()}
    if logits is not None:
        flat = pyarrow.array(logits.reshape(-1))
        arrays["logits"] = pyarrow.FixedSizeListArray.from_arrays(flat, logits.shape[1])
    table = pyarrow.table(arrays).replace_schema_metadata({_KEY: json.dumps(rest).encode()})
    with replacing(target) as stream:
        pyarrow.parquet.write_table(table, stream)


FORMAT = Format("parquet", (".parquet",), "Parquet table", __doc__, _table.ASKS, read, write)
