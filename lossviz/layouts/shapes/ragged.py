"""Rows of unequal lengths: nested lists, or lists of arrays, one a sequence.

Rows are padded at the end to the longest one: logits with 0, targets with −100, losses and log-probabilities with NaN,
everything else with 0. Where the targets are ragged, their lengths become `lengths`.

- `--layout plain` refuses ragged rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._recorded_names import GENERATED, RECORDED_NAMES

__all__ = ["LAYOUT", "is_ragged", "padded"]

Array = np.ndarray
FILL = {"targets": -100, "labels": -100} | dict.fromkeys(RECORDED_NAMES, float("nan"))


def is_ragged(value: Any) -> bool:
    """Whether a value is a list of rows of numbers, or an array of objects.

    >>> is_ragged([[1, 2], [3]]), is_ragged(["a", "b"])
    (True, False)
    """
    if isinstance(value, np.ndarray):
        return bool(value.dtype.hasobject and value.ndim)
    return isinstance(value, list) and bool(value) and all(isinstance(row, list | np.ndarray) for row in value)


def padded(rows: Sequence[Any], fill: float = 0) -> Array:
    """Rows of arrays as one array, the shorter ones filled up at the end; the axes after the first must agree.

    Raises:
        InputError: if a row holds something else than numbers, or the rows differ in more than their length.

    >>> padded([[1, 2], [3]], -100).tolist()
    [[1, 2], [3, -100]]
    """
    arrays = [_row(row, number) for number, row in enumerate(rows)]
    width = max(len(array) for array in arrays)
    rest = next((array.shape[1:] for array in arrays if array.size), arrays[0].shape[1:])
    dtype = np.result_type(*(array.dtype for array in arrays if array.size)) if any(a.size for a in arrays) else int
    dtype = np.result_type(dtype, float) if fill != fill else dtype
    whole = np.full((len(arrays), width, *rest), fill, dtype)
    for place, array in enumerate(arrays):
        if array.size and array.shape[1:] != rest:
            raise InputError(f"Row {place} has shape {array.shape}, where the others end in {rest}. Save equal widths.")
        whole[place, : len(array)] = array.reshape(len(array), *rest)
    return whole


def _row(row: Any, number: int) -> Array:
    try:
        array = np.asarray(row)
    except ValueError:
        raise InputError(
            f"Row {number} is ragged inside: give each of its timesteps the same number of entries."
        ) from None
    if array.ndim == 0 or array.dtype.kind not in "biufV":
        raise InputError(f"Row {number} must be a list of numbers; got {row!r:.40}.")
    return array


def read(draft: Draft) -> Draft | None:
    """Fill ragged rows up."""
    ragged = {name: value for name, value in draft.fields.items() if is_ragged(value)}
    if not ragged:
        return None
    filled = {name: padded(list(value), FILL.get(draft.origin.get(name, name), 0)) for name, value in ragged.items()}
    key = next((name for name in ("targets", "labels", *GENERATED) if name in ragged), None)
    counts = {len(row) for row in ragged[key]} if key else set()
    if key and len(counts) > 1 and not {"lengths", "weights", "loss_mask"} & {*draft.fields}:
        filled["lengths"] = np.array([len(row) for row in ragged[key]])
        draft = draft.assuming(
            "the rows have unequal lengths, which are the lengths of the sequences", "weights", "none"
        )
    if key == "targets" and len(counts) > 1 and draft.choices.ignore_id is None and "ignore_id" not in draft:
        draft = draft.replacing(ignore_id=FILL["targets"])  # the file itself has no label out of range there
    return draft.replacing(**filled)


LAYOUT = Layout("ragged", "Ragged rows", __doc__ or "", "rows of unequal lengths", read)
