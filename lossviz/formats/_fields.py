"""The fields of a batch by the argument names of `Batch.from_arrays`, and the plain type that each has."""

import contextlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt

from lossviz.display_text import printable
from lossviz.errors import FormatError
from lossviz.file_arrays import FileArray

RECORDED = ("losses", "log_probs", "entropy", "rank", "top_classes", "top_probabilities")
ARRAYS = ("logits", "targets", "lengths", "weights", "inputs", "segment_ids", *RECORDED)
IDS = ("pad_id", "eos_id", "ignore_id", "classes", "num_items_in_batch", "labels_per_timestep")
TEXTS = ("reported", "title")
VOCABULARIES = ("vocabulary", "input_vocabulary")
FIELDS = (*ARRAYS, *VOCABULARIES, *IDS, *TEXTS)


def describe(name: str, value: Any) -> str:
    """Write an array's name, shape and dtype.

    >>> describe("logits", np.zeros((2, 3, 5), np.float32))
    '`logits` (2, 3, 5) float32'
    """
    if isinstance(value, np.ndarray | FileArray):
        kind = "text" if value.dtype.kind in "US" else value.dtype.name
        return f"`{printable(name)}` {value.shape} {kind}"
    kind = f"({len(value)} texts)" if isinstance(value, list) else type(value).__name__
    return f"`{printable(name)}` {kind}"


def plain(name: str, value: Any, file: str) -> Any:
    """Give a field the plain type it has in `Batch.from_arrays`: array, int, text or list of texts."""
    if name in ARRAYS:
        return value if name == "logits" and isinstance(value, FileArray) else np.asarray(value)
    if name in VOCABULARIES:
        return _tokens(name, value, file)
    array = _as_array(value)
    if name in IDS:
        if array.size != 1 or array.dtype.kind not in "iu":
            raise FormatError(f"`{name}` in `{file}` must be one integer; got {describe(name, array)}.")
        return int(array.item())
    if array.size != 1 or array.dtype.kind not in "US":
        raise FormatError(f'`{name}` in `{file}` must be text, such as "1.2545"; got {describe(name, array)}.')
    return _decoded(name, _listed(name, array.reshape(()), file), file)


def _as_array(value: Any) -> npt.NDArray[Any]:
    """A value as an array; what is ragged or nested too deeply as an array of no entry, which is no id and no text."""
    try:
        return np.asarray(value)
    except ValueError:
        return np.empty(0, object)


def _listed(name: str, array: npt.NDArray[Any], file: str) -> Any:
    """An array's Python values; NumPy raises SystemError for text that is no Unicode."""
    try:
        return array.tolist()
    except SystemError:
        raise FormatError(f"`{name}` in `{file}` is damaged: its text is not Unicode. Save or copy it again.") from None


def _tokens(name: str, value: Any, file: str) -> list[str]:
    """The vocabulary from texts, or from one text that holds a JSON list of them."""
    texts = list(value) if isinstance(value, list | tuple) else _listed(name, np.asarray(value), file)
    if isinstance(texts, str):
        with contextlib.suppress(ValueError, RecursionError):
            texts = json.loads(texts)
    if not isinstance(texts, list) or not all(isinstance(token, str | bytes) for token in texts):
        raise FormatError(f"`{name}` in `{file}` must be a list of texts; got {describe(name, value)}.")
    return [_decoded(name, token, file) for token in texts]


def _decoded(name: str, text: str | bytes, file: str) -> str:
    try:
        return text.decode() if isinstance(text, bytes) else text.encode().decode()
    except UnicodeError:
        raise FormatError(f"`{name}` in `{file}` must be UTF-8 text; got {text!a:.60}.") from None
