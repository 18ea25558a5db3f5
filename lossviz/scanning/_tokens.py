"""Token files: what a model reads and what it should say next, as a batch whose losses nobody knows yet."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.arrays import as_array
from lossviz.batch import Batch
from lossviz.errors import FormatError, InputError
from lossviz.formats import contents

__all__ = ["token_batch", "with_unknown_losses"]

Array = np.ndarray
_IDS = ("input_ids", "tokens", "token_ids", "ids")
_KEPT = ("lengths", "weights", "segment_ids", "vocabulary", "input_vocabulary", "title")
_SPECIAL = ("pad_id", "eos_id", "ignore_id")


def token_batch(path: Path, choices: Mapping[str, Any]) -> Batch:
    """Read a token file as a batch: `inputs` and `targets`, and losses that are all NaN.

    It holds `inputs` and `targets` [B, T]; or ids [B, T + 1] under `input_ids` or `tokens` (an .npy of integers is such
    an array), of which each predicts the next. `labels` beside them are Hugging Face's, unshifted, where −100 does not
    count; without labels `attention_mask` says which tokens are real.

    Args:
        path: any file that `lossviz.formats.contents` reads, or an .npy.
        choices: `pad_id`, `eos_id` and `ignore_id` where the file does not say them.

    Raises:
        FormatError: if it can't be read, or holds no ids.
        InputError: if its arrays don't fit together.
    """
    fields = _fields(path)
    ids = next((fields[name] for name in _IDS if name in fields), None)
    if "targets" in fields and "inputs" in fields:
        known = {name: fields[name] for name in ("inputs", "targets")}
    elif ids is not None:
        known = _next_tokens(ids, fields, path.name)
    else:
        raise FormatError(
            f"`{path.name}` holds {', '.join(f'`{name}`' for name in fields)}; a model needs `inputs` and `targets` "
            "[B, T], or `input_ids` [B, T + 1]."
        )
    known |= {name: fields[name] for name in (*_KEPT, *_SPECIAL) if name in fields and name not in known}
    known |= {name: choices[name] for name in _SPECIAL if choices.get(name) is not None}
    return with_unknown_losses(known)


def with_unknown_losses(known: Mapping[str, Any]) -> Batch:
    """The batch of what is known before a model has read it.

    >>> with_unknown_losses({"inputs": [[1, 2]], "targets": [[2, 3]]}).losses
    array([[nan, nan]])
    """
    targets = as_array("targets", known["targets"])
    if targets.ndim != 2:
        raise InputError(f"`targets` must have rank 2, [B, T]; got shape {targets.shape}.")
    return Batch.from_arrays(losses=np.full(targets.shape, np.nan), **known)


def _fields(path: Path) -> dict[str, Any]:
    if path.suffix.lower() != ".npy":
        return dict(contents(path))
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise FormatError(f"`{path.name}` can't be read as an array. Save it with `np.save`.") from None
    return {"input_ids": array}


def _next_tokens(ids: Any, fields: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Each id is read and predicts the next; a row that is shorter than others ends where its ids do."""
    rows, lengths = _rectangle("ids", ids, file)
    if rows.shape[1] < 2:
        raise FormatError(f"`{file}` has rows of {rows.shape[1]} ids; a row needs 2, of which one predicts the other.")
    known: dict[str, Any] = {"inputs": rows[:, :-1]}
    if "labels" in fields:
        labels = _rectangle("labels", fields["labels"], file, -100)[0]
        if labels.shape != rows.shape:
            raise FormatError(f"`{file}` has ids {rows.shape} and labels {labels.shape}; they must have one shape.")
        known["targets"] = labels[:, 1:]
        return known | ({"ignore_id": -100} if (labels == -100).any() else {})
    known["targets"] = rows[:, 1:]
    if "attention_mask" in fields:
        real = _rectangle("attention_mask", fields["attention_mask"], file)[0]
        if real.shape != rows.shape:
            raise FormatError(f"`{file}` has ids {rows.shape} and a mask {real.shape}; they must have one shape.")
        return known | {"weights": (real[:, 1:] != 0).astype(float)}
    return known if lengths is None else known | {"lengths": np.maximum(lengths - 1, 0)}


def _rectangle(name: str, rows: Any, file: str, fill: int = 0) -> tuple[Array, Array | None]:
    """Rows of integers as one array, filled up where they are shorter, and how long each is, if they are a list."""
    if not isinstance(rows, list):
        array = rows if isinstance(rows, np.ndarray) else as_array(name, rows)
        if array.ndim != 2 or array.dtype.kind not in "iub":
            raise FormatError(
                f"`{file}` must hold {name} as integers [B, T + 1]; got {array.dtype.name} {array.shape}."
            )
        return array, None
    lengths = np.array([len(row) for row in rows])
    array = np.full((len(rows), int(lengths.max(initial=0))), fill, np.int64)
    for row, values in zip(array, rows, strict=True):
        row[: len(values)] = values
    return array, lengths
