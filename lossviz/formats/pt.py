"""A dict of tensors, as `torch.save` writes it: read only with `weights_only=True`, and only where torch is installed.

The file is a pickle. `torch.load(weights_only=True)` builds tensors and plain containers and refuses everything else;
without torch the file is refused, for no other reader is as safe.

What it builds may still be large: it makes a `bytearray` of any length, unpacks what an archive has packed, and a list
may hold another one a hundred times, which costs nothing until somebody looks at all of it.
"""

import warnings
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from io import BytesIO
from typing import Any

from lossviz.arrays import as_array
from lossviz.errors import FormatError
from lossviz.formats._common import LIMITS, Fields, Source, check_count
from lossviz.formats._opening import find
from lossviz.formats.npz import check_directory, refuse_overlaps

__all__ = ["read_tensors"]

_BYTEARRAY = b"\nbytearray\n"  # as a pickle names it
_BLOCK = 1 << 22  # bytes
_WAY_OUT = "Save a dict of tensors with `torch.save`, or the arrays with `np.savez`."


def read_tensors(source: Source) -> Fields:
    """Read the tensors, numbers and texts of a dict.

    Raises:
        FormatError: torch is not installed, the file holds more than tensors, or it holds no dict.
    """
    if find_spec("torch") is None:
        find(source.name)  # says why a pickle is not read, and what to do
    import torch

    _check_archive(source)
    _refuse_byte_arrays(source)
    try:
        with warnings.catch_warnings(action="ignore"):  # about the file, on stderr
            held = torch.load(
                str(source.path) if source.path else BytesIO(source.data), map_location="cpu", weights_only=True
            )
    except Exception as error:  # pickle's errors are of every kind
        reason = str(error).split("\n")[0].rstrip(".")[:120]
        raise FormatError(
            f"`{source.name}` can't be read as plain tensors ({type(error).__name__}: {reason}). {_WAY_OUT}"
        ) from None
    if not isinstance(held, Mapping):
        raise FormatError(
            f"`{source.name}` holds a {type(held).__name__}; save a dict such as {{'logits': …, 'labels': …}}."
        )
    check_count(len(held), source.name)
    _check_nodes(held.values(), source)
    return {str(name): _plain(str(name), value, source) for name, value in held.items() if value is not None}


def _check_archive(source: Source) -> None:
    """Refuse an archive that unpacks to more than it has, or whose records share bytes."""
    with source.open() as stream:
        if not zipfile.is_zipfile(stream):
            return
        check_directory(source)
        with zipfile.ZipFile(stream) as archive:
            if any(record.compress_type != zipfile.ZIP_STORED for record in archive.infolist()):
                raise FormatError(f"`{source.name}` holds packed records, which `torch.save` never writes. {_WAY_OUT}")
            refuse_overlaps(archive)


def _refuse_byte_arrays(source: Source) -> None:
    end = b""
    with source.open() as stream:
        while block := stream.read(_BLOCK):
            if _BYTEARRAY in end + block:
                raise FormatError(f"`{source.name}` makes a bytearray, which no tensor needs. {_WAY_OUT}")
            end = block[-len(_BYTEARRAY) :]


def _check_nodes(values: Any, source: Source) -> None:
    """Refuse lists and dicts that hold each other so often that nobody can look at all of it."""
    left, waiting = LIMITS.text_lists, list(values)
    while waiting:
        one = waiting.pop()
        inside = [*one, *one.values()] if isinstance(one, dict) else one if isinstance(one, list | tuple | set) else ()
        left -= 1 + len(inside)
        if left < 0:
            raise FormatError(f"`{source.name}` holds more than {LIMITS.text_lists:,} entries in lists. {_WAY_OUT}")
        waiting += inside


def _plain(name: str, value: Any, source: Source) -> Any:
    if isinstance(value, str | list | dict):
        return value
    array = as_array(name, value)
    source.budget.take(array.nbytes, "Save contiguous tensors of one batch.")  # an expanded tensor is one number
    return array
