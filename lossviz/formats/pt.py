"""A dict of tensors, as `torch.save` writes it: read only with `weights_only=True`, and only where torch is installed.

The file is a pickle. `torch.load(weights_only=True)` builds tensors and plain containers and refuses everything else;
without torch the file is refused, for no other reader is as safe.
"""

import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from io import BytesIO
from typing import Any

from lossviz.arrays import as_array
from lossviz.errors import FormatError
from lossviz.formats._common import Fields, Source, check_count
from lossviz.formats._opening import find

__all__ = ["read_tensors"]


def read_tensors(source: Source) -> Fields:
    """Read the tensors, numbers and texts of a dict.

    Raises:
        FormatError: torch is not installed, the file holds more than tensors, or it holds no dict.
    """
    if find_spec("torch") is None:
        find(source.name)  # says why a pickle is not read, and what to do
    import torch

    try:
        with warnings.catch_warnings(action="ignore"):  # about the file, on stderr
            held = torch.load(
                str(source.path) if source.path else BytesIO(source.data), map_location="cpu", weights_only=True
            )
    except Exception as error:  # pickle's errors are of every kind
        reason = str(error).split("\n")[0].rstrip(".")[:120]
        raise FormatError(
            f"`{source.name}` can't be read as plain tensors ({type(error).__name__}: {reason}). Save a dict of "
            "tensors with `torch.save`, or the arrays with `np.savez`."
        ) from None
    if not isinstance(held, Mapping):
        raise FormatError(
            f"`{source.name}` holds a {type(held).__name__}; save a dict such as {{'logits': …, 'labels': …}}."
        )
    check_count(len(held), source.name)
    return {str(name): _plain(str(name), value, source) for name, value in held.items() if value is not None}


def _plain(name: str, value: Any, source: Source) -> Any:
    if isinstance(value, str | list | dict):
        return value
    array = as_array(name, value)
    source.budget.take(array.nbytes, "Save contiguous tensors of one batch.")  # an expanded tensor is one number
    return array
