"""A table in columns, long form: what pandas, Spark and DuckDB write.

The same columns as the CSV table, with one row a timestep or one row a class; and a third way, which is the one that is
written: one row a timestep with all its logits as a list in the column `logits`.

| sequence | timestep | target | length | logits |
|---|---|---|---|---|
| 0 | 0 | 1 | 2 | [0.5, 2.0, -1.0] |
| 0 | 1 | 2 | 2 | [0.1, 0.2, 3.0] |

- The file's metadata holds under `lossviz` what no column can, as JSON: `pad_id`, `title`, `vocabulary`, `dtypes`….
- Dtypes are kept; bfloat16, which Parquet does not know, is stored as float32.
- Missing values are refused. Only the columns that are needed are read.
- The number of cells is checked before anything is unpacked, and lists are counted while they are: 1 GiB for an upload,
  8 GiB for a file on disk, at 8 bytes each.
"""

import json
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from lossviz.errors import FormatError
from lossviz.formats import _table
from lossviz.formats._common import Fields, Format, Source, Target, replacing, size_words
from lossviz.formats._fields import FIELDS
from lossviz.formats.csv_ import wide_columns
from lossviz.formats.json_ import cast, parse_rest

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
        schema = pyarrow.parquet.read_schema(_content(source))
        texts = [field.name for field in schema if pyarrow.types.is_string(field.type)]
        with pyarrow.parquet.ParquetFile(_content(source), read_dictionary=texts) as file:
            _check_size(file.metadata.num_rows * file.metadata.num_columns, source)
            rest = parse_rest(((file.schema_arrow.metadata or {}).get(_KEY) or b"{}").decode(), source.name)
            columns, logits = _columns(file, names, source)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).split("\n")[0].rstrip(".")[:120]
        raise FormatError(f"`{source.name}` was cut off or damaged: {reason}. Save or copy it again.") from None
    fields = _table.assemble(columns, logits, lambda row: f"row {row}", source.name)
    return cast(fields, rest.pop("dtypes", {}), source.name) | {name: rest[name] for name in FIELDS if name in rest}


def _content(source: Source) -> str | BytesIO:
    return str(source.path) if source.path else BytesIO(source.data)


def _check_size(values: int, source: Source) -> None:
    """Count values, 8 bytes each: a run of equal ones takes a few bytes in the file."""
    if 8 * values > source.decoded_limit:
        raise FormatError(
            f"`{source.name}` is {size_words(source.size)} and unpacks to {values:,} values or more; at most "
            f"{source.decoded_limit // 8:,} are read. Save it as .npz."
        )


def _columns(
    file: "pyarrow.parquet.ParquetFile", names: Mapping[str, str] | None, source: Source
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[Any] | None]:
    """The columns by the long form's names, and the logits [rows, V] where a row holds all its classes."""
    schema = file.schema_arrow
    lists = (names or {}).get("logit", "logits")
    listed = lists in schema.names and _is_list(schema.field(lists).type)
    wide = [lists] if listed else wide_columns(schema.names, names)
    plain = {
        name: np.zeros(file.metadata.num_rows, _dtype(schema.field(name).type))
        for name in schema.names
        if name not in wide
    }
    own = {id(value): name for name, value in plain.items()}
    chosen = {name: own[id(value)] for name, value in _table.rename(plain, names, source.name, bool(wide)).items()}
    columns = {name: _column(file, key, name) for name, key in chosen.items() if name != "token" or not wide}
    if not wide:
        return columns, None
    if listed:
        return columns, _lists(file, lists, source)
    return columns, np.stack([_column(file, name, "logit") for name in wide], axis=1)


def _is_list(kind: "pyarrow.DataType") -> bool:
    import pyarrow

    types = pyarrow.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _dtype(kind: "pyarrow.DataType") -> np.dtype[Any]:
    """The NumPy dtype of a column; text for what is neither a number nor a truth value."""
    try:
        dtype = np.dtype(kind.to_pandas_dtype())
    except (NotImplementedError, TypeError):
        return np.dtype("U1")
    return dtype if dtype.kind in "biuf" else np.dtype("U1")


def _column(file: "pyarrow.parquet.ParquetFile", key: str, name: str) -> npt.NDArray[Any]:
    column = file.read([key]).column(0)
    if column.null_count:
        row = column.is_null().to_pylist().index(True)
        raise FormatError(f"Row {row}, column `{key}` is missing. Write a number, or NaN where there is none.")
    if name == "token":
        return _texts(column)
    if _dtype(column.type).kind == "U":
        raise FormatError(f"Column `{key}` must hold numbers; got {column.type}.")
    return np.asarray(column.to_numpy())


def _texts(column: "pyarrow.ChunkedArray") -> npt.NDArray[Any]:
    """Texts through their dictionary, so that a long one that is repeated stands in memory once."""
    encoded = column.combine_chunks()
    encoded = encoded if hasattr(encoded, "dictionary") else encoded.dictionary_encode()
    texts = np.array([*encoded.dictionary.to_pylist(), ""], dtype=object)
    return np.asarray(texts[encoded.indices.to_numpy(zero_copy_only=False)])


def _lists(file: "pyarrow.parquet.ParquetFile", key: str, source: Source) -> npt.NDArray[Any]:
    """The logits [rows, V] from a column of lists of one length, counted as they are read."""
    blocks: list[npt.NDArray[Any]] = []
    rows = values = 0
    for batch in file.iter_batches(_BLOCK, columns=[key]):
        blocks.append(_block(batch.column(0), key, rows, blocks[0].shape[1] if blocks else None))
        rows += len(blocks[-1])
        values += blocks[-1].size
        _check_size(values, source)
    return np.concatenate(blocks) if blocks else np.zeros((0, 0))


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
    """Write one row a timestep with its logits as a list, and as metadata what no column can hold."""
    import pyarrow
    import pyarrow.parquet

    columns, logits, rest = _table.unassemble(fields)
    arrays = {name: pyarrow.array(_table.widened(column)) for name, column in columns.items()}
    flat = pyarrow.array(logits.reshape(-1))
    arrays["logits"] = pyarrow.FixedSizeListArray.from_arrays(flat, logits.shape[1])
    table = pyarrow.table(arrays).replace_schema_metadata({_KEY: json.dumps(rest).encode()})
    with replacing(target) as stream:
        pyarrow.parquet.write_table(table, stream)


FORMAT = Format("parquet", (".parquet",), "Parquet table", __doc__, _table.ASKS, read, write)
