"""Arrays of any library, without importing one: which library, rows of it, and the way to NumPy."""

import sys
from typing import Any

import numpy as np

from lossviz.arrays import as_array

__all__ = ["library_of", "library_version", "take_rows", "to_numpy"]

_LIBRARIES = {"torch": "torch", "jax": "jax", "jaxlib": "jax", "tensorflow": "tensorflow"}


def library_of(value: Any) -> str:
    """The library of an array: "torch", "jax", "tensorflow", or "numpy" for all that NumPy can read.

    >>> library_of([[1, 2]])
    'numpy'
    """
    return _LIBRARIES.get(type(value).__module__.partition(".")[0], "numpy")


def library_version(library: str) -> str:
    """The version of a library that is loaded.

    >>> library_version("numpy") == np.__version__
    True
    """
    return str(getattr(sys.modules.get(library), "__version__", "unknown"))


def take_rows(value: Any, rows: np.ndarray | None) -> Any:
    """Some rows of an array, taken where it lives; all of them without a copy if `rows` is None.

    >>> take_rows(np.array([[1], [2], [3]]), np.array([0, 2])).tolist()
    [[1], [3]]
    """
    if rows is None:
        return value
    library = library_of(value)
    if library == "tensorflow":
        return sys.modules["tensorflow"].gather(value, rows)
    if library == "torch":
        return value[sys.modules["torch"].as_tensor(rows, device=value.device)]
    return value[rows] if library == "jax" else np.asarray(value)[rows]


def to_numpy(name: str, value: Any) -> np.ndarray:
    """An array in the memory of the host, float32 where it was shorter; other errors as in `as_array`.

    >>> to_numpy("losses", np.array([0.5], np.float16)).dtype
    dtype('float32')
    """
    library = library_of(value)
    if library == "torch":
        value = value.detach()
        value = value.float() if value.is_floating_point() and value.itemsize < 4 else value
    elif library in ("jax", "tensorflow") and "bfloat16" in str(value.dtype):
        value = value.astype("float32") if library == "jax" else sys.modules["tensorflow"].cast(value, "float32")
    array = as_array(name, value)
    short = array.dtype.kind == "f" and array.dtype.itemsize < 4
    return array.astype(np.float32) if short or array.dtype.name == "bfloat16" else array
