"""A table in text, long form: what a spreadsheet or another language writes most easily.

One row per timestep, with its logits in the columns `logit_0` … `logit_{V-1}`:

```csv
sequence,timestep,target,logit_0,logit_1,logit_2,length
0,0,1,0.5,2.0,-1.0,2
0,1,2,0.1,0.2,3.0,2
```

or one row per class, where `token` may name the class:

```csv
sequence,timestep,class,logit,target,token
0,0,0,0.5,1,<pad>
0,0,1,2.0,1,the
0,0,2,-1.0,1,cat
```

- `sequence`, `timestep` and `class` count from 0. Rows may come in any order; every timestep of every sequence must be
  there, padding too.
- If losses were recorded instead of logits, `loss` or `log_prob` takes their place, one row per timestep, along with
  `entropy`, `rank`, `top_class_0` … and `top_probability_0` … if there are any; an empty cell was not recorded.
- `length` (the same in all rows of a sequence), `weight`, `input` and `segment_id` are optional.
- The delimiter is a comma, a semicolon or a tab; decimals have a point; `nan`, `inf` and `-inf` are numbers. An empty
  cell is refused.
- A first line `# lossviz {"pad_id": 0, "title": "…", "vocabulary": ["…"], "dtypes": {"logits": "float16"}}` holds what
  no column can, and is written so that a batch comes back as it was.
- At most 10,000,000 cells are read.
"""

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossviz.digits import is_number
from lossviz.errors import FormatError
from lossviz.formats import _table
from lossviz.formats._beginnings import UNKNOWN, beginning
from lossviz.formats._common import LIMITS, Fields, Format, Source, Target, replacing
from lossviz.formats._fields import FIELDS
from lossviz.formats.json_ import cast
from lossviz.formats.text.long_table import LONG, read_table
from lossviz.formats.text.parse_json import parse_rest

_TEXT_BYTES = 64  # of a cell that is read as a text
_MARK = "# lossviz "
_TRUTH = {"True": "1", "true": "1", "TRUE": "1", "False": "0", "false": "0", "FALSE": "0"}
_TEXT_COLUMNS = ("token",)
_BLOCK = 1 << 18


def read(source: Source, names: Mapping[str, str] | None = None) -> Fields:
    """Read a long-form table as arrays.

    Raises:
        FormatError: it is no table, a cell is empty or not a number, or a row is missing.
        NamesError: a column that every table needs is not there.
    """
    encoded = source.encoded()
    rest: dict[str, Any] = {}
    marked = encoded.startswith(_MARK.encode())
    if marked:
        rest = parse_rest(source.decoded(encoded.partition(b"\n")[0]).removeprefix(_MARK), source.name)
    fields = None
    if len(encoded) >= LONG:
        with contextlib.suppress(FormatError):  # raised again below, where the line is known
            fields = _long(encoded, int(marked), names, source)
    if fields is None:
        text = source.decoded(encoded)
        header, rows, lines = _rows(text.partition("\n")[2] if marked else text, source, int(marked))
        columns, logits = _columns(header, rows, names, source, lines)
        fields = _table.assemble(columns, logits, lambda row: f"line {lines[row]}", source.name)
    dtypes = rest.pop("dtypes", {})
    return cast(fields, dtypes, source.name) | {name: rest[name] for name in FIELDS if name in rest}


def _long(encoded: bytes, skipped: int, names: Mapping[str, str] | None, source: Source) -> Fields | None:
    """A long table's fields, read in blocks; None where only reading it row by row says what is in it."""
    start = encoded.index(b"\n") + 1 if skipped else 0
    line = encoded[start : encoded.find(b"\n", start)]
    first = line.decode(errors="replace").rstrip("\r")
    delimiter = _delimiter(first)
    rows = encoded.count(b"\n")
    header = [name.strip() for name in first.split(delimiter)]
    token = (names or {}).get("token", "token")
    texts = rows * (token in header)
    _check_cells(encoded.count(delimiter.encode()) + rows, source, texts * _TEXT_BYTES)
    odd = delimiter not in first or '"' in first or "�" in first or len({*header}) < len(header)
    if odd or beginning(line) != UNKNOWN:
        return None
    wide = _table.wide_columns(header, names)
    table = read_table(encoded, skipped + 1, delimiter, header, texts={token})
    apart = table and table.columns(frozenset(wide))
    logits = table.block(wide) if table and wide else None
    if not apart or (wide and logits is None):
        return None
    shown = {name: column if column.dtype != object else column.astype(str) for name, column in apart.items()}
    chosen = _table.rename(shown, names, source.name, bool(wide))
    own = {id(column): name for name, column in shown.items()}
    columns = {name: apart[own[id(column)]] for name, column in chosen.items()}
    if any(
        (column.dtype == object) != (name in _TEXT_COLUMNS) or _lacks(column, name) for name, column in columns.items()
    ):
        return None
    return _table.assemble(columns, logits, str, source.name)


def _lacks(column: npt.NDArray[Any], name: str) -> bool:
    """Whether a cell may be empty that must not be."""
    return column.dtype.kind == "f" and not _table.may_be_missing(name) and bool(np.isnan(column).any())


def _delimiter(first: str) -> str:
    return max(",;\t", key=first.count)


def _check_cells(count: int, source: Source, texts: int) -> None:
    """Count the cells of a table before they are read: their number, and the bytes of those that are texts."""
    if count > LIMITS.text_cells:
        raise FormatError(f"`{source.name}` holds more than {LIMITS.text_cells:,} cells. Save it as .npz or .parquet.")
    source.budget.take(8 * count + texts, "Save it as .npz or .parquet.")


def _rows(text: str, source: Source, offset: int) -> tuple[list[str], list[list[str]], list[int]]:
    """The header, the rows, and the line that each row ends on."""
    first = text.split("\n", 1)[0]
    delimiter = _delimiter(first)
    count = text.count(delimiter) + text.count("\n")
    _check_cells(count, source, count * _TEXT_BYTES)
    if delimiter not in first or beginning(first.encode()) != UNKNOWN:
        raise source.wrong("a CSV table", "Its first line must name the columns: sequence,timestep,target,logit_0,…")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows, lines = [], []
    try:
        for row in reader:
            if row:
                rows.append(row)
                lines.append(reader.line_num + offset)
    except csv.Error as error:
        raise FormatError(f"Line {reader.line_num + offset} of `{source.name}` can't be read: {error}.") from None
    header = [name.strip() for name in rows[0]]
    if twice := sorted(name for name, count in Counter(header).items() if count > 1):
        raise FormatError(f"`{source.name}` has two columns called `{twice[0]}`. Keep one of them.")
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise FormatError(
                f"Line {line} of `{source.name}` has {len(row)} cells, but the header has {len(header)}. "
                "Put text that holds the delimiter in double quotes."
            )
    return header, rows[1:], lines[1:]


def _columns(
    header: list[str], rows: list[list[str]], names: Mapping[str, str] | None, source: Source, lines: list[int]
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[Any] | None]:
    """The columns by the long form's names, and the logits [rows, V] where each class has its column."""
    wide = _table.wide_columns(header, names)
    logits = frozenset(wide)
    places = {name: index for index, name in enumerate(header) if name not in logits}
    sample = {name: _sample(rows, index) for name, index in places.items()}
    chosen = _table.rename(sample, names, source.name, bool(wide))
    own = {id(value): name for name, value in sample.items()}
    columns = {name: _column(rows, places[own[id(value)]], name, header, lines) for name, value in chosen.items()}
    if not wide:
        return columns, None
    every = {name: index for index, name in enumerate(header)}
    return columns, _wide(rows, [every[name] for name in wide], header, lines)


def _wide(rows: list[list[str]], places: list[int], header: list[str], lines: list[int]) -> npt.NDArray[Any]:
    """The logits [rows, V], read row by row: a column of a wide table lies scattered all over memory."""
    classes, first = len(places), places[0]
    adjoin = places == list(range(first, first + classes))
    step = max(1, _BLOCK // classes)
    blocks = []
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        cells = (row[first : first + classes] if adjoin else [row[place] for place in places] for row in block)
        at = lines[start : start + step]
        numbers = _checked([text for row in cells for text in row], [header[place] for place in places], at)
        blocks.append(numbers.reshape(len(block), classes))
    return np.concatenate(blocks) if blocks else np.zeros((0, classes))


def _sample(rows: list[list[str]], index: int) -> npt.NDArray[Any]:
    """A column as the message and the dialog show it: numbers where all of it is."""
    texts = [row[index] for row in rows]
    try:
        return _numbers([_TRUTH.get(text, text) for text in texts])
    except ValueError:
        return np.array([text[:80] for text in texts] or [""])


def _numbers(texts: list[str]) -> npt.NDArray[Any]:
    try:
        return np.array(list(map(int, texts)), dtype=np.int64)
    except (ValueError, OverflowError):
        return np.array(list(map(float, texts)), dtype=np.float64)


def _column(rows: list[list[str]], index: int, name: str, header: list[str], lines: list[int]) -> npt.NDArray[Any]:
    """One column's numbers, or texts."""
    texts = [row[index] for row in rows]
    if name in _TEXT_COLUMNS:
        return np.array(texts, dtype=object)
    if _table.may_be_missing(name):
        texts = [text.strip() or "nan" for text in texts]
    return _checked(texts, [header[index]], lines)


def _checked(texts: list[str], columns: list[str], lines: list[int]) -> npt.NDArray[Any]:
    """The numbers of the cells of some lines, which have those columns in each line."""
    with contextlib.suppress(ValueError):
        return _numbers(texts)
    texts = [_TRUTH.get(text, text) for text in texts]
    with contextlib.suppress(ValueError):
        return _numbers(texts)
    at = next(index for index, text in enumerate(texts) if not is_number(text))
    line, column = divmod(at, len(columns))
    where = f"Line {lines[line]}, column `{columns[column]}`"
    if not texts[at].strip():
        raise FormatError(f"{where} is empty. Write a number, or nan where there is none.")
    raise FormatError(f"{where} must be a number with a decimal point; got `{texts[at]:.40}`.")


def write(fields: Fields, target: Target) -> None:
    """Write one row per timestep, and in the first line what no column can hold."""
    columns, logits, rest = _table.unassemble(fields)
    texts = [column.astype(str) for column in map(_table.widened, columns.values())]
    classes = 0 if logits is None else logits.shape[1]
    table = np.column_stack(texts if logits is None else [*texts, logits.astype(str)])
    text = io.StringIO(newline="")
    text.write(_MARK + json.dumps(rest) + "\n")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*columns, *(f"logit_{index}" for index in range(classes))])
    writer.writerows(table.tolist())
    with replacing(target) as stream:
        stream.write(text.getvalue().encode())


FORMAT = Format("csv", (".csv",), "CSV table", __doc__, _table.ASKS, read, write)
