"""Micro-batches one below the other: the shorter ones are filled up with timesteps that were never there."""

from typing import TYPE_CHECKING, Any

import numpy as np

from lossviz.errors import FormatError

if TYPE_CHECKING:
    import pyarrow

__all__ = ["stacked"]

_FILL: dict[str, float] = {"losses": np.nan, "weights": 0, "inputs": 0, "segment_ids": -1, "logits": 0}
_INTEGERS = ("targets", "inputs", "segment_ids", "attention_mask")


def stacked(parts: "list[pyarrow.Table]", pad_id: int | None, ignore_id: int | None) -> dict[str, Any]:
    """The arrays of a step, [R, T] each, T the longest micro-batch's; a column that a part lacks is left out.

    What fills a shorter micro-batch up does not count: its targets are the ignored id, else the pad id; where there is
    neither, the lengths say so.

    Raises:
        FormatError: if a row's lists are not equally long, or a list of integers has a missing entry.
    """
    arrays = [_arrays(part) for part in parts]
    timesteps = max(one["targets"].shape[1] for one in arrays)
    masked = pad_id if ignore_id is None else ignore_id
    fills = _FILL | {"targets": -100 if masked is None else masked, "inputs": pad_id or 0}
    names = [name for name in arrays[0] if all(name in one for one in arrays)]
    fields = {
        name: np.concatenate([_filled(one[name], timesteps, fills.get(name, 0)) for one in arrays]) for name in names
    }
    widths = [one["targets"].shape for one in arrays]
    if len({width for _, width in widths}) > 1 and masked is None and not fields.keys() & {"weights", "lengths"}:
        fields["lengths"] = np.concatenate([np.full(rows, width) for rows, width in widths])
    return fields


def _arrays(part: "pyarrow.Table") -> dict[str, np.ndarray]:
    rows = len(part)
    targets = _rectangle(part["targets"], rows, np.int64)
    arrays = {"targets": targets}
    for name in ("losses", "weights", "inputs", "segment_ids", "attention_mask"):
        if part[name].null_count == 0:
            arrays[name] = _rectangle(part[name], rows, np.int64 if name in _INTEGERS else np.float32)
            if arrays[name].shape != targets.shape:
                raise FormatError(f"A row's `{name}` and `targets` are not equally long: the shard is damaged.")
    if part["length"].null_count == 0:
        arrays["lengths"] = part["length"].to_numpy()
    if part["logits"].null_count == 0 and part["classes"].null_count == 0:
        arrays["logits"] = _logits(part, targets.shape)
    return arrays


def _logits(part: "pyarrow.Table", shape: tuple[int, ...]) -> np.ndarray:
    flat, classes = _rectangle(part["logits"], len(part), np.float32), int(part["classes"][0].as_py())
    if flat.shape[1] != shape[1] * classes:
        raise FormatError("A row's `logits` are not T × V numbers: the shard is damaged.")
    return np.asarray(flat.reshape(*shape, classes))


def _rectangle(column: "pyarrow.ChunkedArray", rows: int, kind: type) -> np.ndarray:
    """Lists of equal lengths as an array [R, T]; null entries of floats are NaN, of integers an error."""
    flat = column.combine_chunks()
    values: np.ndarray = flat.flatten().to_numpy(zero_copy_only=False)
    lengths = set(np.asarray(flat.value_lengths()).tolist())
    if len(lengths) > 1 or flat.null_count:
        raise FormatError("The lists of one micro-batch are not equally long: the shard is damaged.")
    if kind is np.int64 and values.dtype.kind not in "iu":  # a null entry made them floats
        raise FormatError("A list of integers has a missing entry: the shard is damaged.")
    return values.astype(kind).reshape(rows, lengths.pop() if lengths else 0)


def _filled(array: np.ndarray, timesteps: int, fill: float) -> np.ndarray:
    if array.ndim == 1 or array.shape[1] == timesteps:
        return array
    widths = [(0, 0), (0, timesteps - array.shape[1]), *[(0, 0)] * (array.ndim - 2)]
    return np.pad(array, widths, constant_values=fill)
