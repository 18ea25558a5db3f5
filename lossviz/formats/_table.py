"""The long form that CSV and Parquet share: rows for every timestep, assembled into arrays.

A table has one row per timestep, with all its logits in it, or one row per class, with one logit in it. If only losses
were recorded, it has one row per timestep. The order of the rows does not matter; every timestep of every sequence must
be there, padding too.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lossviz.errors import FormatError, NamesError
from lossviz.formats._common import Fields
from lossviz.formats._fields import ARRAYS, FIELDS
from lossviz.formats._names import check_names, not_found, refuse_overlooked

# A column's name and the array it becomes.
PER_TIMESTEP = {"target": "targets", "weight": "weights", "input": "inputs", "segment_id": "segment_ids"}
RECORDED = {"loss": "losses", "log_prob": "log_probs", "entropy": "entropy", "rank": "rank"}
"""The same, where losses were recorded and no logits; a missing value is one that was not recorded."""
TOP = {"top_class": "top_classes", "top_probability": "top_probabilities"}
"""The same, with a number behind each: top_class_0 is the likeliest one."""
COLUMNS = {field: column for column, field in (PER_TIMESTEP | RECORDED).items()} | {
    "logits": "logit",
    "lengths": "length",
    "vocabulary": "token",
}
KEYS = ("sequence", "timestep", "class")
ASKS = (
    "sequence", "timestep", "class", "logit", "target", "length", "weight", "input", "segment_id", "token", *RECORDED,
)  # fmt: skip
Columns = Mapping[str, npt.NDArray[Any]]
DOWNLOADED = "batch_loss"
"""The column of losses in the tables that lossviz itself makes, `tables.to_csv` and `to_parquet`."""
_TOP = re.compile(rf"({'|'.join(TOP)})_(\d{{1,3}})")
Where = Callable[[int], str]


def rename(columns: Mapping[str, Any], names: Mapping[str, str] | None, file: str, wide: bool) -> dict[str, Any]:
    """Give the columns the names of the long form.

    Args:
        columns: the table's columns by their own names.
        names: from the long form's names to the table's.
        file: the file's name, for the message.
        wide: whether the logits stand in columns of their own, so that neither `class` nor `logit` is needed.

    Raises:
        NamesError: a column that every table needs is not there.
    """
    given = {name: key for name, key in (names or {}).items() if not (wide and name == "logit")}
    check_names(given, columns, ASKS, file)
    chosen = {name: name for name in ASKS if name in columns and name not in given.values()} | given
    if DOWNLOADED in columns and not {"logit", "loss", "log_prob"} & {*chosen}:
        chosen["loss"] = DOWNLOADED
    recorded = not wide and "logit" not in chosen and ("loss" in chosen or "log_prob" in chosen)
    if recorded:
        chosen = {name: key for name, key in chosen.items() if name not in ("class", "token")}
        chosen |= {name: name for name in columns if _TOP.fullmatch(name)}
    else:
        chosen = {name: key for name, key in chosen.items() if name not in RECORDED}
    needed = ["sequence", "timestep", *([] if wide or recorded else ["class", "logit"]), "target"]
    if missing := [name for name in needed if name not in chosen]:
        missing = ["logit_0" if name == "logit" else name for name in missing if name != "class" or "logit" in chosen]
        raise NamesError(not_found(columns, missing, ASKS, file), columns)
    if names is None:
        rows = np.shape(columns[chosen["target"]])
        refuse_overlooked(columns, chosen, {"length": rows, "weight": rows}, file)
    return {name: columns[key] for name, key in chosen.items()}


def assemble(columns: Columns, logits: npt.NDArray[Any] | None, where: Where, file: str) -> Fields:
    """Put rows in order and shape their columns into arrays.

    Args:
        columns: by the long form's names, each with one value a row.
        logits: [rows, V], one row per timestep; None for one row per class, and where there are losses instead.
        where: says where the row of an index stands, such as "line 5".
        file: the file's name, for the message.

    Raises:
        FormatError: a row is missing, is there twice, or contradicts another of its timestep or sequence.
    """
    keys = [name for name in KEYS if name != "class" or (logits is None and "logit" in columns)]
    shape, order = _grid([_index(columns[key], key, where) for key in keys], keys, where, file)
    values = {name: column[order].reshape(shape) for name, column in columns.items()}
    fields: Fields = {}
    if logits is not None or "logit" in values:
        sorted_ = logits if logits is None or (np.diff(order) == 1).all() else logits[order]
        fields["logits"] = values["logit"] if sorted_ is None else sorted_.reshape(*shape, -1)

    def once(name: str, keep: int) -> npt.NDArray[Any]:
        """A column's value for the first `keep` axes, once it is known to be the same along the others."""
        cells = values[name].reshape(*shape[:keep], -1)
        first = cells[..., :1]
        odd = np.argwhere((cells != first) & ((cells == cells) | (first == first)))
        if len(odd):
            at = tuple(int(index) for index in odd[0][:-1])
            axes = " of ".join(f"{key} {index}" for key, index in reversed([*zip(keys, at, strict=False)]))
            row = int(order.reshape(*shape[:keep], -1)[tuple(odd[0])])
            raise FormatError(
                f"{where(row).capitalize()} of `{file}` has {name} {columns[name][row]}, but {axes} has {first[at][0]} "
                f"before. Give {name} the same value in all rows of one {keys[keep - 1]}."
            )
        return first[..., 0]

    fields |= {field: once(column, 2) for column, field in (PER_TIMESTEP | RECORDED).items() if column in columns}
    fields |= {field: np.stack(top, axis=-1) for column, field in TOP.items() if (top := _numbered(values, column))}
    if "length" in columns:
        fields["lengths"] = once("length", 1)
    if "token" in columns and "logit" in columns:
        fields["vocabulary"] = _vocabulary(values["token"].reshape(-1, shape[-1]), order, where, file)
    return fields


def wide_columns(header: Iterable[str], names: Mapping[str, str] | None) -> list[str]:
    """The columns `logit_0`, `logit_1`… in the order of their classes.

    Raises:
        FormatError: one of them is missing.

    >>> wide_columns(["target", "logit_1", "logit_0"], None)
    ['logit_0', 'logit_1']
    """
    stem = (names or {}).get("logit", "logit")
    found = {int(match[1]): name for name in header if (match := re.fullmatch(re.escape(stem) + r"_(\d{1,7})", name))}
    for index in range(max(found, default=-1) + 1):
        if index not in found:
            raise FormatError(
                f"The table has a column `{stem}_{max(found)}` and no `{stem}_{index}`. Number them from 0."
            )
    return [found[index] for index in range(len(found))]


def may_be_missing(column: str) -> bool:
    """Whether a missing value of that column is one that was not recorded.

    >>> may_be_missing("loss"), may_be_missing("top_probability_0"), may_be_missing("target")
    (True, True, False)
    """
    return column in RECORDED or column.startswith("top_probability_")


def _numbered(values: Columns, stem: str) -> list[npt.NDArray[Any]]:
    """The columns of a stem, in the order of their numbers."""
    found = {int(match[2]): name for name in values if (match := _TOP.fullmatch(name)) and match[1] == stem}
    return [values[found[number]] for number in sorted(found)]


def _vocabulary(tokens: npt.NDArray[Any], order: npt.NDArray[np.intp], where: Where, file: str) -> list[str]:
    """The token of each class, once it is known to be the same in all timesteps [B·T, V]."""
    odd = np.argwhere(tokens != tokens[0])
    if len(odd):
        step, index = odd[0]
        row = int(order.reshape(tokens.shape)[step, index])
        raise FormatError(
            f"{where(row).capitalize()} of `{file}` calls class {index} `{tokens[step, index]:.40}`, but it was "
            f"`{tokens[0, index]:.40}` before. Give each class one token."
        )
    return [str(token) for token in tokens[0]]


def _index(column: npt.NDArray[Any], key: str, where: Where) -> npt.NDArray[np.int64]:
    wrong = np.flatnonzero((column < 0) | (column != np.floor(column)) | (column >= 2**31))
    if len(wrong):
        raise FormatError(
            f"`{key}` must count from 0 in whole numbers; {where(wrong[0])} has {column[wrong[0]]}. Number the "
            f"{key}s 0, 1, 2…"
        )
    return column.astype(np.int64)


def _grid(
    indices: list[npt.NDArray[np.int64]], keys: list[str], where: Where, file: str
) -> tuple[tuple[int, ...], npt.NDArray[np.intp]]:
    """The grid's shape and the order that sorts the rows into it, each cell filled exactly once."""
    rows = len(indices[0])
    if rows == 0:
        raise FormatError(f"`{file}` has a header and no rows. Write one row per timestep, or one per class.")
    shape = tuple(int(index.max()) + 1 for index in indices)
    order = np.lexsort(indices[::-1])
    cells = np.stack([index[order] for index in indices])
    twice = np.flatnonzero((cells[:, 1:] == cells[:, :-1]).all(axis=0))
    if len(twice):
        first, second = sorted(order[twice[0] : twice[0] + 2])
        raise FormatError(
            f"{where(first).capitalize()} and {where(second)} of `{file}` are both {_cell(keys, cells[:, twice[0]])}."
        )
    if rows != int(np.prod(shape, dtype=object)):
        gap = _first_gap(cells, shape)
        raise FormatError(
            f"`{file}` has no row for {_cell(keys, gap)}. Write a row for each of the {shape[1]} timesteps of every "
            "sequence, padding too, and give the real length as `length`."
        )
    return shape, order


def _first_gap(cells: npt.NDArray[np.int64], shape: tuple[int, ...]) -> list[int]:
    """The first cell of the grid that is not among the sorted ones."""
    rest = np.arange(cells.shape[1] + 1)
    expected: list[npt.NDArray[np.int64]] = []
    for size in reversed(shape):
        rest, index = np.divmod(rest, size)
        expected.insert(0, index)
    grid = np.stack(expected)
    differs = (grid[:, :-1] != cells).any(axis=0)
    return [int(index) for index in grid[:, np.argmax(np.append(differs, True))]]


def _cell(keys: list[str], cell: Any) -> str:
    return ", ".join(f"{key} {index}" for key, index in zip(keys, cell, strict=True))


def unassemble(fields: Fields) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[Any] | None, dict[str, Any]]:
    """Turn fields into columns with one row per timestep, their logits [rows, V] or None, and what no column can hold.

    Raises:
        FormatError: the batch is empty.
    """
    name = next(name for name in ("logits", "losses", "log_probs") if name in fields)
    held = np.asarray(fields[name])
    if held.ndim != (3 if name == "logits" else 2) or 0 in held.shape:
        raise FormatError(f"A table has no rows for {name} of shape {held.shape}. Choose .npz.")
    batch, timesteps = held.shape[:2]
    columns = {
        "sequence": np.repeat(np.arange(batch), timesteps),
        "timestep": np.tile(np.arange(timesteps), batch),
    }
    plain = PER_TIMESTEP if name == "logits" else PER_TIMESTEP | RECORDED
    columns |= {column: np.asarray(fields[field]).reshape(-1) for column, field in plain.items() if field in fields}
    if "lengths" in fields:
        columns["length"] = np.repeat(np.asarray(fields["lengths"]), timesteps)
    rest = {name: fields[name] for name in FIELDS if name in fields and name not in ARRAYS}
    rest["dtypes"] = {name: np.asarray(fields[name]).dtype.name for name in ARRAYS if name in fields}
    if name == "logits":
        return columns, widened(held.reshape(-1, held.shape[2])), rest
    for stem, field in TOP.items():
        if field in fields:
            top = np.asarray(fields[field]).reshape(batch * timesteps, -1)
            columns |= {f"{stem}_{place}": top[:, place] for place in range(top.shape[1])}
    return columns, None, rest


def widened(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """See bfloat16, which neither CSV nor Parquet knows, as float32."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array
