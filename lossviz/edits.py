"""Changes to single entries of a batch, as data: they can be applied, undone, listed and compared with the source."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.arrays import file_location
from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.masking import resolve_mask

__all__ = ["EDITABLE", "Edit", "apply_edits", "differences"]

EDITABLE = {"targets": 2, "inputs": 2, "weights": 2, "lengths": 1, "logits": 3}


@dataclass(frozen=True)
class Edit:
    """One entry set to a new value: `Edit("lengths", (2,), 4)` or `Edit("logits", (0, 3, 5), -1.5)`.

    Raises:
        InputError: if the field can't be edited or the index has the wrong number of axes.
    """

    field: str
    index: tuple[int, ...]
    value: float

    def __post_init__(self) -> None:
        if self.field not in EDITABLE:
            raise InputError(f"`field` must be one of {', '.join(map(repr, EDITABLE))}; got {self.field!r}.")
        if len(self.index) != EDITABLE[self.field]:
            raise InputError(f"`index` of {self.field} must have {EDITABLE[self.field]} numbers; got {self.index}.")

    def __str__(self) -> str:
        return f"{self.field}[{', '.join(map(str, self.index))}] = {self.value:g}"


def apply_edits(batch: Batch, edits: Sequence[Edit]) -> Batch:
    """The batch with every edit made, in order; the batch itself stays as it is.

    `weights` that the batch does not have start from the mask that it declares, `lengths` from T.

    Raises:
        InputError: if an index lies outside of the batch or a value can't be held.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[2])
    >>> apply_edits(batch, [Edit("lengths", (0,), 1)]).lengths.tolist()
    [1]
    """
    changes: dict[str, Any] = {}
    for edit in edits:
        if edit.field not in changes:
            changes[edit.field] = _writable(batch, edit.field)
        array = changes[edit.field]
        if any(not 0 <= i < n for i, n in zip(edit.index, array.shape, strict=True)):
            raise InputError(f"`{edit}` lies outside of {edit.field}, which has shape {array.shape}.")
        if array.dtype.kind == "i" and edit.value != int(edit.value):
            if edit.field != "lengths":
                raise InputError(f"`{edit}` must be a whole number: {edit.field} holds integers.")
            changes[edit.field] = array = array.astype(np.float64)
        array[edit.index] = edit.value
    return batch.replace(**changes) if changes else batch


def differences(source: Batch, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits that still make a difference: the last of each entry, if it is not what the source holds.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[2])
    >>> [str(e) for e in differences(batch, [Edit("lengths", (0,), 1), Edit("targets", (0, 1), 2)])]
    ['lengths[0] = 1']
    """
    last = {(edit.field, edit.index): edit for edit in edits}
    return tuple(edit for edit in last.values() if _source_value(source, edit) != edit.value)


def _source_value(source: Batch, edit: Edit) -> float | None:
    array = getattr(source, edit.field)
    return None if array is None else float(array[edit.index])


def _writable(batch: Batch, field: str) -> np.ndarray:
    array = getattr(batch, field)
    location = file_location(array)
    if location is not None:
        # Mode "c" writes to private pages of the mapped file: only the pages that an edit touches are copied.
        return np.memmap(location[0], dtype=array.dtype, mode="c", offset=location[1], shape=array.shape)
    if array is not None:
        copy: np.ndarray = np.array(array)
        return copy
    if field == "inputs":
        raise InputError("`inputs` can't be edited: this batch has none.")
    if field == "weights":
        return resolve_mask(batch, None).weights.copy()
    return np.full(batch.shape[0], batch.shape[1], np.int64)
