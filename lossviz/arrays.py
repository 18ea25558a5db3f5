"""Other people's arrays as NumPy: TensorFlow, PyTorch, JAX, lists, anything with `__array__` or `__dlpack__`."""

import mmap
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.errors import InputError

__all__ = ["as_array", "file_location", "is_floating"]


def as_array(name: str, value: Any) -> np.ndarray:
    """The numbers of `value` as a NumPy array, without a copy where the library allows it.

    Args:
        name: the argument's name, for the message.
        value: an array of NumPy, TensorFlow, PyTorch or JAX, or nested lists of numbers.

    Raises:
        InputError: if the lists are ragged, or the entries are not numbers.

    >>> as_array("targets", [[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    >>> as_array("targets", [[1, 2], [3]])
    Traceback (most recent call last):
    lossviz.errors.InputError: `targets` must be rectangular: row 0 has 2 entries and row 1 has 1. Pad the shorter \
rows to one length and pass `lengths`.
    """
    array = _convert(name, value)
    if array.dtype.kind in "OUSTMmc":
        raise InputError(
            f"`{name}` must hold plain numbers; got an array of dtype {array.dtype}. "
            "Convert it first, for example with `np.asarray(..., dtype='float32')`."
        )
    return array


def is_floating(dtype: np.dtype) -> bool:
    """Whether `dtype` is a float that lossviz computes with: float16, bfloat16, float32 or float64."""
    return dtype.name in ("float16", "bfloat16", "float32", "float64")


def file_location(array: Any) -> tuple[Path, int] | None:
    """Where the bytes of a memory-mapped array lie: (file, offset in bytes), or None if they must be read from memory.

    None for arrays that are not mapped, not contiguous, not in native byte order, or hold private changes (mode "c").

    >>> file_location(np.zeros(3)) is None
    True
    """
    if not isinstance(array, np.memmap) or array.filename is None or array.mode == "c" or array.size == 0:
        return None
    if not array.flags.c_contiguous or not array.dtype.isnative:
        return None
    # `offset` is inherited unchanged by slices, so count from the address of the mapping, which starts at a page.
    mapped: Any = getattr(array, "_mmap", None)
    if mapped is None:
        return None
    start = np.frombuffer(mapped, np.uint8, count=1).ctypes.data
    first_page = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    return Path(str(array.filename)), first_page + array.ctypes.data - start


def _convert(name: str, value: Any) -> np.ndarray:
    if isinstance(value, np.ndarray):
        return value
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return _from_torch(value, torch)
    try:
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except ValueError:
        raise InputError(_ragged_message(name, value)) from None
    except (TypeError, NotImplementedError, OverflowError) as error:
        raise InputError(
            f"`{name}` could not be read as an array ({type(value).__name__}: {str(error).splitlines()[0]}). "
            "Pass concrete numbers, for example `tensor.numpy()` outside of `tf.function`."
        ) from None


def _from_torch(tensor: Any, torch: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        import ml_dtypes

        # NumPy has no bfloat16 of its own: reread the same 16 bits.
        bits: np.ndarray = tensor.contiguous().view(torch.int16).numpy()
        return bits.view(ml_dtypes.bfloat16)
    array: np.ndarray = tensor.numpy()
    return array


def _ragged_message(name: str, value: Any) -> str:
    rows = [len(row) if hasattr(row, "__len__") else None for row in value] if hasattr(value, "__iter__") else []
    for index, length in enumerate(rows):
        if length != rows[0]:
            got = f"row 0 has {_entries(rows[0])} and row {index} has {'' if length is None else length}"
            got = got.rstrip() if length is not None else got + "one bare number"
            return f"`{name}` must be rectangular: {got}. Pad the shorter rows to one length and pass `lengths`."
    return f"`{name}` must be rectangular: its rows are lists of unequal lengths. Pad them and pass `lengths`."


def _entries(count: int | None) -> str:
    return "one bare number" if count is None else f"{count} entries"
