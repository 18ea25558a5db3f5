"""Changes to single entries of a batch, as data: they can be applied, undone, listed and compared with the source."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from operator import index
from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.display_text import quoted
from lossviz.errors import InputError, require
from lossviz.file_arrays import FileArray
from lossviz.masking import resolve_mask

__all__ = ["EDITABLE", "Edit", "apply_edits", "differences", "entry", "float_format"]

EDITABLE = {"targets": 2, "inputs": 2, "weights": 2, "lengths": 1, "logits": 3}


@dataclass(frozen=True)
class Edit:
    """One entry set to a new value: `Edit("lengths", (2,), 4)` or `Edit("logits", (0, 3, 5), -1.5)`.

    >>> str(Edit("lengths", (2,), 4))
    'lengths[2] = 4'

    Raises:
        InputError: if the field can't be edited or the index has the wrong number of axes.

    >>> str(Edit("logits", (0, 3, 5), -1.5))
    'logits[0, 3, 5] = -1.5'
    """

    field: str
    index: tuple[int, ...]
    value: float

    def __post_init__(self) -> None:
        if not isinstance(self.field, str) or self.field not in EDITABLE:
            raise InputError(f"`field` must be one of {', '.join(map(repr, EDITABLE))}; got {quoted(self.field)}.")
        try:
            at = tuple(index(axis) for axis in self.index)
        except TypeError:
            at = ()
        if len(at) != EDITABLE[self.field]:
            raise InputError(
                f"`index` of {self.field} must have {EDITABLE[self.field]} numbers; got {quoted(self.index)}."
            )
        if not _is_number(self.value):
            raise InputError(f"`value` must be a number that float64 holds; got {quoted(self.value)}.")
        object.__setattr__(self, "index", at)

    def __str__(self) -> str:
        return f"{self.field}[{', '.join(map(str, self.index))}] = {self.value:.15g}"


def _is_number(value: Any) -> bool:
    try:
        return isinstance(value, (int, float, np.integer, np.floating, np.bool_)) and float(value) is not None
    except OverflowError:
        return False


def apply_edits(batch: Batch, edits: Sequence[Edit]) -> Batch:
    """The batch with every edit made, in order; the batch itself stays as it is.

    `weights` that the batch does not have start from the mask in use, `lengths` from its last timestep that counts.

    Raises:
        InputError: if an index lies outside of the batch or a value can't be held.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[2])
    >>> apply_edits(batch, [Edit("lengths", (0,), 1)]).lengths.tolist()
    [1]
    """
    changes: dict[str, Any] = {}
    for edit in edits:
        if edit.field not in changes:
            changes[edit.field] = _writable(batch.replace(**changes) if changes else batch, edit.field)
        changes[edit.field] = _edited(changes[edit.field], edit)
    return batch.replace(**changes) if changes else batch


def _edited(array: Any, edit: Edit) -> Any:
    if any(not 0 <= i < n for i, n in zip(edit.index, array.shape, strict=True)):
        raise InputError(f"`{edit}` lies outside of {edit.field}, which has shape {array.shape}.")
    if not _fits(array, edit.value):
        if edit.field != "lengths":
            raise InputError(f"`{edit}` must be a whole number of 64 bits: {edit.field} holds integers.")
        array = array.astype(np.float64)
    held = _held(array, edit.value)
    if isfinite(edit.value) and not np.isfinite(held):
        raise InputError(f"`{edit}` is too large for {edit.field}, which holds {array.dtype.name}.")
    array[edit.index] = held
    return array


def _fits(array: Any, value: float) -> bool:
    return array.dtype.kind != "i" or (value % 1 == 0 and abs(value) < 2**63)


def _held(array: Any, value: float) -> Any:
    with np.errstate(over="ignore"):
        return array.dtype.type(value)


def float_format(dtype: np.dtype) -> dict[str, float]:
    """How floats of that dtype hold an edit: digits after the leading 1, smallest exponent of 2, largest number.

    >>> float_format(np.dtype("float16"))
    {'digits': 10, 'lowest': -14, 'largest': 65504.0}
    """
    about = require("ml_dtypes", "bfloat16").finfo(dtype) if dtype.name == "bfloat16" else np.finfo(dtype)
    return {"digits": int(about.nmant), "lowest": int(about.minexp), "largest": float(about.max)}


def differences(source: Batch, edits: Sequence[Edit]) -> tuple[Edit, ...]:
    """The edits that still make a difference: the last of each entry, if it is not what the source holds.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[2])
    >>> [str(e) for e in differences(batch, [Edit("lengths", (0,), 1), Edit("targets", (0, 1), 2)])]
    ['lengths[0] = 1']
    """
    last = {(edit.field, edit.index): edit for edit in edits}
    return tuple(edit for edit in last.values() if not _is_in(getattr(source, edit.field), edit))


def entry(batch: Batch, field: str, index: tuple[int, ...]) -> float:
    """The value that an edit of this entry would replace.

    Raises:
        InputError: if the batch has no such field and nothing stands in for it.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[1])
    >>> entry(batch, "targets", (0, 1)), entry(batch, "weights", (0, 1))
    (2, 0.0)
    """
    array = getattr(batch, field)
    value: float = (_writable(batch, field) if array is None else array)[index].item()
    return value


def _is_in(array: Any, edit: Edit) -> bool:
    """Whether the array holds the edit's value already, as exactly as its dtype can."""
    if array is None or not _fits(array, edit.value):
        return False
    return bool(np.array_equal(array[edit.index], _held(array, edit.value), equal_nan=True))


def _writable(batch: Batch, field: str) -> Any:
    if batch.logits is None and field in ("logits", "targets"):
        raise InputError(
            f"`{field}` can't be edited: this batch has no logits, so what another target would cost can't be told."
            if field == "targets"
            else "`logits` can't be edited: this batch has none."
        )
    array = getattr(batch, field)
    if isinstance(array, FileArray):
        array.require_unchanged()
        return array.editable()
    if array is not None:
        copy: np.ndarray = np.array(array)
        return copy
    if field == "inputs":
        raise InputError("`inputs` can't be edited: this batch has none.")
    if field == "weights":
        return resolve_mask(batch, None).weights.copy()
    counts = resolve_mask(batch, None).weights != 0
    ends: np.ndarray = (counts * np.arange(1, batch.shape[1] + 1)).max(axis=1, initial=0)
    return ends
