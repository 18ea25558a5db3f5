"""Other people's arrays as NumPy: TensorFlow, PyTorch, JAX, lists, anything with `__array__` or `__dlpack__`.

`as_array` reads them; `as_integers`, `as_weights` and `as_lengths` also hold them to the shape of the logits.
"""

import mmap
import sys
from pathlib import Path
from typing import Any

import numpy as np

from lossviz.errors import InputError, first_line, require

__all__ = ["as_array", "as_integers", "as_lengths", "as_weights", "dtype_named", "file_location", "is_floating"]

Array = np.ndarray
MAX_INT64 = np.iinfo(np.int64).max


def as_array(name: str, value: Any) -> Array:
    """The numbers of `value` as a NumPy array, without a copy where the library allows it.

    Args:
        name: the argument's name, for the message.
        value: an array of NumPy, TensorFlow, PyTorch or JAX, or nested lists of numbers.

    Raises:
        InputError: if the lists are ragged, the entries are not numbers, or entries are masked out (`np.ma`).

    >>> as_array("targets", [[1, 2], [3, 4]]).tolist()
    [[1, 2], [3, 4]]
    >>> as_array("targets", [[1, 2], [3]])
    Traceback (most recent call last):
    lossviz.errors.InputError: `targets` must be rectangular: row 0 has 2 entries and row 1 has 1. Pad the shorter \
rows to one length and pass `lengths`.
    """
    array = _convert(name, value)
    if array.dtype.kind in "OUSTMmc" or array.dtype.type is np.void:
        raise InputError(
            f"`{name}` must hold plain numbers; got an array of dtype {array.dtype}. "
            "Convert it first, for example with `np.asarray(..., dtype='float32')`."
        )
    return array


def dtype_named(name: str) -> np.dtype:
    """Return NumPy's dtype of that name; `bfloat16` is one that NumPy alone doesn't have.

    Raises:
        MissingPackageError: it is bfloat16, and ml_dtypes, which defines it, is not installed.

    >>> dtype_named("float32"), dtype_named("bfloat16")
    (dtype('float32'), dtype(bfloat16))
    """
    return np.dtype(require("ml_dtypes", "bfloat16").bfloat16 if name == "bfloat16" else name)


def is_floating(dtype: np.dtype) -> bool:
    """Whether `dtype` is a float that lossviz computes with: float16, bfloat16, float32 or float64.

    >>> is_floating(np.dtype("float16")), is_floating(np.dtype("int64"))
    (True, False)
    """
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


def as_integers(name: str, value: Any, shape: tuple[int, ...]) -> Array:
    """Integers of any width as a read-only int64 array [B, T], copied.

    Raises:
        InputError: if they are not integers, do not fit in int64, or have another shape than the logits.

    >>> as_integers("targets", np.array([[1, 2]], np.uint8), (1, 2)).dtype
    dtype('int64')
    """
    array = as_array(name, value)
    if array.dtype.kind not in "iu" and array.size:
        raise InputError(
            f"`{name}` must be integers; got {array.dtype.name}. "
            f"If they are whole numbers, pass `{name}.astype('int64')`."
        )
    return _readonly(_shaped(name, _signed(name, array), shape).astype(np.int64))


def as_weights(value: Any, shape: tuple[int, ...]) -> Array:
    """Finite numbers or booleans as a read-only float64 array [B, T], copied.

    Raises:
        InputError: if they are not numbers, not finite, or have another shape than the logits.

    >>> as_weights([[True, False]], (1, 2)).tolist()
    [[1.0, 0.0]]
    """
    array = as_array("weights", value)
    if array.dtype.kind not in "biuf" and not is_floating(array.dtype):
        raise InputError(f"`weights` must be numbers or booleans; got {array.dtype.name}.")
    array = _shaped("weights", array, shape).astype(np.float64)
    if not np.isfinite(array).all():
        row, timestep = np.argwhere(~np.isfinite(array))[0]
        raise InputError(
            f"`weights` must be finite numbers; got {array[row, timestep]} at sequence {row}, timestep {timestep}. "
            "An additive attention mask (0 and -inf) becomes weights with `mask == 0`."
        )
    return _readonly(array)


def as_lengths(value: Any, sequences: int) -> Array:
    """Numbers of timesteps as a read-only array [B], copied: int64, or float64 where one is no whole int64.

    Raises:
        InputError: if they are not finite numbers, or not one per sequence.

    >>> as_lengths([3.0, 1.0], 2).tolist(), as_lengths([2.7, 1.0], 2).tolist()
    ([3, 1], [2.7, 1.0])
    """
    array = as_array("lengths", value)
    if array.dtype.kind not in "iuf" and not is_floating(array.dtype) and array.size:
        raise InputError(f"`lengths` must be numbers of timesteps; got {array.dtype.name}.")
    if array.shape != (sequences,):
        raise InputError(
            f"`lengths` must have shape ({sequences},), one per sequence of `logits`; got {array.shape}."
            + (" Pass `lengths.reshape(-1)`." if array.size == sequences else "")
        )
    if array.dtype.kind in "iu":
        return _readonly(_signed("lengths", array).astype(np.int64))
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise InputError(f"`lengths` must be finite numbers; got {array[~np.isfinite(array)][0]}.")
    whole = bool(np.all((array == np.trunc(array)) & (np.abs(array) < MAX_INT64)))
    return _readonly(array.astype(np.int64) if whole else array)


def _signed(name: str, array: Array) -> Array:
    if array.dtype == np.uint64 and array.size and array.max() > MAX_INT64:
        raise InputError(f"`{name}` must fit in int64; got {array.max()}. A negative number was cast to unsigned.")
    return array


def _shaped(name: str, array: Array, shape: tuple[int, ...]) -> Array:
    if array.shape == shape:
        return array
    if array.shape == (0,) and 0 in shape:  # `[]` is all that a list can say
        return array.reshape(shape)
    sequences, timesteps = shape
    hints = {
        (timesteps, sequences): f" If time comes first, pass `{name}.T`.",
        (sequences * timesteps,): f" If they are flat, pass `{name}.reshape{shape}`.",
        (sequences, 1): f" To use one per sequence, pass `np.broadcast_to({name}, {shape})`.",
        (sequences, timesteps, 1): f" To drop the last axis, pass `{name}[..., 0]`.",
        (sequences,): f" To use one per sequence, pass `np.broadcast_to({name}[:, None], {shape})`.",
    }
    raise InputError(
        f"`{name}` must have shape {shape}, the first two axes of `logits`; got {array.shape}."
        + (hints.get(array.shape) or _width_hint(name, array, shape))
    )


def _width_hint(name: str, array: Array, shape: tuple[int, ...]) -> str:
    """What to do where only the number of timesteps differs: a decoder stops at its longest sequence, labels do not."""
    if array.ndim != 2 or len(array) != shape[0] or array.shape[1] < 2 or shape[1] == 0:
        return ""
    if array.shape[1] < shape[1]:
        width = array.shape[1]
        return (
            f" Pass the logits of the timesteps of `{name}`: `logits[:, -{width}:]` if a prompt comes before them, "
            f"`logits[:, :{width}]` if the logits go on after them, `np.swapaxes(logits, 1, 2)` if the classes come "
            "second. CTC, without a target for each timestep, is not covered."
        )
    following = f" If the logits are of the next token, pass `{name}[:, 1:]`." if array.shape[1] == shape[1] + 1 else ""
    return (
        f"{following} If the logits stop at the longest sequence and the rest is padding, "
        f"pass `{name}[:, :{shape[1]}]`; if it is not, the model has lost timesteps."
    )


def _readonly(array: Array) -> Array:
    array.flags.writeable = False
    return array


def _convert(name: str, value: Any) -> Array:
    if isinstance(value, np.ma.MaskedArray) and np.ma.getmaskarray(value).any():
        raise InputError(
            f"`{name}` is a masked array, whose mask would be lost. "
            f"Pass `{name}.data`, and what counts as `weights=~mask`."
        )
    if isinstance(value, np.ndarray) and type(value) in (np.ndarray, np.memmap):
        return value  # other subclasses calculate in their own way: `np.matrix` multiplies as matrices
    try:
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            return _from_torch(value, torch)
        if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
            return np.from_dlpack(value)
        return np.asarray(value)
    except (TypeError, ValueError, NotImplementedError, OverflowError, BufferError, RuntimeError) as error:
        if isinstance(error, ValueError) and isinstance(value, (list, tuple)):
            raise InputError(_ragged_message(name, value)) from None
        reason = first_line(error) or "no reason given"
        of_jax = type(value).__module__.startswith("jax")
        way_out = "from outside of `jax.jit`" if of_jax else "for example `tensor.numpy()` outside of `tf.function`"
        raise InputError(
            f"`{name}` could not be read as an array ({type(value).__name__}: {reason}). "
            f"Pass concrete numbers, {way_out}."
        ) from None


def _from_torch(tensor: Any, torch: Any) -> Array:
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        # NumPy has no bfloat16 of its own: reread the same 16 bits.
        bits: Array = tensor.contiguous().view(torch.int16).numpy()
        return bits.view(dtype_named("bfloat16"))
    array: Array = tensor.numpy()
    return array


def _ragged_message(name: str, rows: list[Any] | tuple[Any, ...]) -> str:
    lengths = [len(row) if hasattr(row, "__len__") else None for row in rows]
    for index, length in enumerate(lengths):
        if length != lengths[0]:
            got = f"row 0 has {_entries(lengths[0])} and row {index} has {_entries(length).split(' entr')[0]}"
            return f"`{name}` must be rectangular: {got}. Pad the shorter rows to one length and pass `lengths`."
    return f"`{name}` must be rectangular: its rows are lists of unequal lengths. Pad them and pass `lengths`."


def _entries(count: int | None) -> str:
    return "one bare number" if count is None else f"{count} {'entry' if count == 1 else 'entries'}"
