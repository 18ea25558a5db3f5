"""Checks of single arguments of `Batch.from_arrays`."""

from collections.abc import Iterable, Mapping, Sequence, Set
from operator import index
from typing import Any

import numpy as np

from lossviz.arrays import as_array, is_floating
from lossviz.display_text import quoted
from lossviz.errors import InputError
from lossviz.file_arrays import FileArray

__all__ = ["checked_classes", "checked_id", "checked_logits", "checked_reported", "checked_tokens"]

Array = np.ndarray


def checked_logits(value: Any) -> Any:
    """Logits as floats [B, T, V], in memory or left in their file."""
    logits = value if isinstance(value, FileArray) else as_array("logits", value)
    if logits.ndim != 3:
        raise InputError(
            f"`logits` must have rank 3, (sequences, timesteps, classes); got shape {logits.shape}. "
            "A single sequence needs `logits[None]`; flat logits need `logits.reshape(B, T, -1)`."
        )
    if not is_floating(logits.dtype):
        raise InputError(
            f"`logits` must be floating point (float16, bfloat16, float32 or float64); got {logits.dtype.name}. "
            "If these are scores, pass `logits.astype('float32')`; if they are token ids, they belong in `targets`."
        )
    if logits.shape[2] == 0:
        raise InputError(f"`logits` must have at least one class on the last axis; got shape {logits.shape}.")
    return logits


def checked_tokens(name: str, value: Any, each: str) -> tuple[str, ...]:
    """Tokens as a tuple of strings, in the order of their ids."""
    wanted = f"`{name}` must be a list of strings, one per {each}, in the order of their ids"
    if isinstance(value, Mapping):
        raise InputError(f"{wanted}; got a {type(value).__name__}. Pass `sorted({name}, key={name}.get)`.")
    if isinstance(value, (str, bytes, Set)) or not isinstance(value, Iterable):
        raise InputError(f"{wanted}; got a {type(value).__name__}.")
    tokens = list(value)
    for place, token in enumerate(tokens):
        if not isinstance(token, str):
            raise InputError(f"{wanted}; entry {place} is {quoted(token)}. Pass `[str(token) for token in {name}]`.")
    return tuple(map(str, tokens))


def checked_classes(logits: Any, vocabulary: Sequence[str] | None, classes: Any) -> int | None:
    """V as logits, a vocabulary and a count agree on, or None.

    Raises:
        InputError: if they disagree, or the count is no positive integer.

    >>> checked_classes(None, ["a", "b"], None)
    2
    """
    tokens = None if vocabulary is None else len(vocabulary)
    count = checked_id("classes", classes)
    if count is not None and count < 1:
        raise InputError(f"`classes` must be at least 1; got {count}.")
    known = count if logits is None else logits.shape[2]
    if tokens is not None and known is not None and tokens != known:
        where = "per class of `logits`" if logits is not None else f"for each of the {known} `classes`"
        raise InputError(
            f"`vocabulary` must have {known} tokens, one {where}; got {tokens}. "
            "Count the padding token and the special tokens too."
        )
    if count is not None and count != known:
        raise InputError(f"`classes` must be {known}, the last axis of `logits`; got {count}. Leave it out.")
    return tokens if known is None else int(known)


def checked_id(name: str, value: Any) -> int | None:
    """An id as an integer."""
    try:
        if isinstance(value, bool):
            raise TypeError
        return None if value is None else index(value)
    except TypeError:
        raise InputError(f"`{name}` must be an integer; got {quoted(value)}.") from None


def checked_reported(value: Any) -> str:
    """A printed loss as the text that was printed."""
    printed = value.strip() if isinstance(value, str) else _printed(value)
    try:
        float(printed)
    except ValueError:
        raise InputError(f"`reported` must be one number, as printed; got {quoted(value)}.") from None
    return printed


def _printed(value: Any) -> str:
    array = as_array("reported", value)
    return str(array.reshape(-1)[0]) if array.size == 1 else ""
