"""One .npy array, a file of its own or a member of an .npz: its header is read, checked, and only then its data."""

import tokenize
from typing import IO, Any

import numpy as np

from lossviz.arrays import dtype_named
from lossviz.errors import FormatError
from lossviz.formats._common import Source, byte_count

Header = tuple[np.dtype[Any], tuple[int, ...], str]


def read_header(stream: IO[bytes], name: str, size: int) -> Header:
    """Read an .npy header: dtype, shape and order ("C" or "F"); the stream stands at the data afterwards.

    Args:
        stream: stands at the start of the array.
        name: what to call it in a message.
        size: how many bytes the whole array has, its header included.

    Raises:
        FormatError: it is no .npy array, was cut off, or holds Python objects.
    """
    begin = stream.tell()
    try:
        version = np.lib.format.read_magic(stream)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream)
    except (ValueError, KeyError, TypeError, SyntaxError, RecursionError, MemoryError, tokenize.TokenError):
        raise FormatError(
            f"`{name}` is not a whole .npy array: its header can't be read. Save it again with `np.save`."
        ) from None
    if dtype.hasobject:
        raise FormatError(
            f"`{name}` holds Python objects, which NumPy stores as a pickle; lossviz never loads a pickle, since "
            "loading one runs the code in it. Save a plain array: pad ragged lists to one length first."
        )
    if dtype.names:
        raise FormatError(
            f"`{name}` is a structured array with fields {dtype.names}; save each field as its own array."
        )
    _check_size(name, dtype, shape, size - (stream.tell() - begin))
    return dtype, shape, "F" if fortran else "C"


def _check_size(name: str, dtype: np.dtype[Any], shape: tuple[int, ...], present: int) -> None:
    if byte_count(dtype, shape) != present:
        raise FormatError(
            f"`{name}` was cut off or damaged: {present:,} bytes are no {dtype.name} of shape {shape}. Save or copy it "
            "again."
        )


def tagged(array: Any) -> Any:
    """See a 2-byte void as bfloat16: NumPy's header has no name for bfloat16, and `np.save` writes it so.

    >>> tagged(np.array([0x3F80], np.uint16).view("V2"))
    array([1], dtype=bfloat16)
    """
    return array.view(dtype_named("bfloat16")) if array.dtype == np.dtype("V2") else array


def read_array(source: Source, offset: int = 0, size: int | None = None, name: str | None = None) -> Any:
    """Read the .npy array that stands at an offset, or leave it there where it is large."""
    with source.open() as stream:
        stream.seek(offset)
        dtype, shape, order = read_header(stream, name or source.name, source.size if size is None else size)
        data = stream.tell()
    return tagged(source.array(dtype, shape, data, order))
