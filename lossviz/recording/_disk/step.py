"""One micro-batch on its way to the disk: plain NumPy arrays, and the record batch made of them."""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.recording._disk.schema import COLUMNS, arrow_schema

if TYPE_CHECKING:
    import pyarrow

__all__ = ["RecordedStep"]

Array = np.ndarray


@dataclass
class RecordedStep:
    """The recorded rows of one micro-batch.

    Attributes:
        step: the optimizer step.
        targets: [R, T] int64, R of the micro-batch's rows.
        losses: [R, T] float32.
        known: [R, T], where a loss was computed, or None for everywhere.
        row: [R], where the rows stood in the micro-batch.
        rows: how many rows the micro-batch had.
        arrays: the optional arrays by their column: [R, T], `length` [R], `logits` [R, T, V].
        numbers: the optional numbers by their column, such as `micro_batch`, `rank`, `loss`.
        details: what else is known, as JSON can hold it.
    """

    step: int
    targets: Array
    losses: Array
    known: Array | None
    row: Array
    rows: int
    arrays: dict[str, Array] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """How much memory the arrays take, in bytes."""
        return sum(array.nbytes for array in (self.targets, self.losses, *self.arrays.values()))

    def record_batch(self, run: str) -> "pyarrow.RecordBatch":
        """The rows as Arrow has them, under the schema of a run."""
        import pyarrow

        schema = arrow_schema(run)
        columns = [self._column(column.name, schema.field(column.name).type) for column in COLUMNS]
        return pyarrow.record_batch(columns, schema=schema)

    def _column(self, name: str, kind: "pyarrow.DataType") -> "pyarrow.Array":
        arrays = {"targets": self.targets, "losses": self.losses, "row": self.row, **self.arrays}
        if name == "losses":
            return _lists(self.losses, kind, self.known)
        if name in arrays:
            array = arrays[name]
            return _values(array, kind) if array.ndim == 1 else _lists(array, kind)
        return _repeated(self._number(name), kind, len(self.row))

    def _number(self, name: str) -> Any:
        if name == "details":
            return json.dumps(self.details, default=str) if self.details else None
        return {"step": self.step, "rows": self.rows}.get(name, self.numbers.get(name))


def _lists(array: Array, kind: "pyarrow.DataType", known: Array | None = None) -> "pyarrow.Array":
    """An array [R, …] as R lists; entries that are not known are null."""
    import pyarrow

    each = array[0].size if len(array) else 0
    offsets = np.arange(len(array) + 1, dtype=np.int32) * each
    values = _values(array.reshape(-1), kind.value_type, None if known is None else known.reshape(-1))
    return pyarrow.Array.from_buffers(kind, len(array), [None, pyarrow.py_buffer(offsets)], children=[values])


def _repeated(value: Any, kind: "pyarrow.DataType", count: int) -> "pyarrow.Array":
    """One number or text `count` times; `pyarrow.repeat` would load pandas too."""
    import pyarrow

    if value is None:
        return pyarrow.nulls(count, kind)
    if not isinstance(value, str):
        return _values(np.full(count, value), kind)
    text = value.encode()
    offsets = np.arange(count + 1, dtype=np.int32) * len(text)
    return pyarrow.StringArray.from_buffers(count, pyarrow.py_buffer(offsets), pyarrow.py_buffer(text * count))


def _values(array: Array, kind: "pyarrow.DataType", known: Array | None = None) -> "pyarrow.Array":
    """An array [N] as Arrow has it; made from its buffers, since `pyarrow.array` would load pandas."""
    import pyarrow

    values = np.ascontiguousarray(array, kind.to_pandas_dtype())
    bits = None if known is None else pyarrow.py_buffer(np.packbits(known, bitorder="little"))
    return pyarrow.Array.from_buffers(kind, len(values), [bits, pyarrow.py_buffer(values)])
