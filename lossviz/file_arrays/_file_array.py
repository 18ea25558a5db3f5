"""An array whose entries are read from its file when they are asked for."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.lib.stride_tricks import sliding_window_view

from lossviz.file_arrays._open_file import OpenFile
from lossviz.file_arrays._places import Axes, axes_of, keys_of, places_on, runs_of

__all__ = ["FileArray", "open_array", "require_unchanged"]

Array = np.ndarray
_GAP = 1 << 14  # bytes between two runs, up to which reading them too costs less than a second read
_WINDOW = 1 << 22  # bytes that are read together at most


class FileArray(NDArrayOperatorsMixin):
    """An array [...] in a file, of which indexing reads what it asks for, into memory of its own.

    Slices, `reshape` and `transpose` read nothing and give another one; an integer or an array of integers as an index
    gives a NumPy array. NumPy's functions, arithmetic and all other methods of an array read all of it. A file renamed
    over this one is never read for it; one that was written to since is refused in an InputError, whatever is read.

    Attributes:
        dtype: NumPy's type of an entry.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     numbers = np.arange(24.0).reshape(2, 3, 4)
    ...     numbers.tofile(path := Path(folder) / "numbers.bin")
    ...     kept = open_array(path, numbers.dtype, numbers.shape, 0)
    ...     kept[:, 1:], kept[1, 2].tolist(), float(kept.max())
    (FileArray(`numbers.bin`, shape=(2, 2, 4), dtype=float64), [20.0, 21.0, 22.0, 23.0], 23.0)
    """

    def __init__(
        self, file: OpenFile, dtype: np.dtype[Any], start: int, axes: Axes, changes: dict[int, bytes] | None = None
    ) -> None:
        # An entry stands at byte `start` + one place of each axis; what was assigned is in `changes`, by that byte.
        self.dtype = dtype
        self._file, self._start, self._axes, self._changes = file, start, axes, changes or {}
        self._is_editable = False

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return tuple(map(len, self._axes))

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self._axes)

    @property
    def size(self) -> int:
        """How many entries there are."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes all of it takes."""
        return self.size * self.dtype.itemsize

    @property
    def is_one_run(self) -> bool:
        """Whether its entries stand one after the other in the file, in C order and in this machine's byte order."""
        return self.dtype.isnative and not runs_of(self._axes, self.dtype.itemsize)[1]

    def __len__(self) -> int:
        return len(self._axes[0])

    def __iter__(self) -> Iterator[Any]:
        return (self[place] for place in range(len(self)))

    def __repr__(self) -> str:
        return f"FileArray(`{self._file.label}`, shape={self.shape}, dtype={self.dtype.name})"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # protocols by which others would look for memory that isn't there
            raise AttributeError(name)
        return getattr(np.asarray(self), name)

    def __reduce__(self) -> Any:
        return np.asarray(self).__reduce__()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("the array is in a file: it can't be had without a copy")
        array = self._read(np.array(self._start), self._axes)
        return array if dtype is None else array.astype(dtype, copy=False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        read = [np.asarray(one) if isinstance(one, FileArray) else one for one in inputs]
        return getattr(ufunc, method)(*read, **options)

    def __getitem__(self, index: Any) -> Any:
        keys = keys_of(index, self.shape)
        if any(isinstance(key, Array) for key in keys):
            return self._picked(keys)
        left, axes, start = iter(self._axes), list[range](), self._start
        for key in keys:
            if isinstance(key, int):
                start += next(left)[key]
            else:
                axes.append(range(1) if key is None else next(left)[key])
        view = self._view(start, tuple(axes))
        return np.asarray(view)[()] if any(isinstance(key, int) for key in keys) else view

    def __setitem__(self, index: Any, value: Any) -> None:
        """Change one entry, here and not in the file."""
        keys = keys_of(index, self.shape)
        if not self._is_editable or not all(isinstance(key, int) for key in keys):
            raise ValueError("only single entries of what `editable` gave can be assigned to")
        place = self._start + sum(axis[key] for axis, key in zip(self._axes, keys, strict=True))
        self._changes[place] = np.array(value).astype(self.dtype).tobytes()

    def editable(self) -> "FileArray":
        """A copy whose single entries can be assigned to; it takes no more memory than they do."""
        copy = FileArray(self._file, self.dtype, self._start, self._axes, dict(self._changes))
        copy._is_editable = True
        return copy

    def reshape(self, *shape: Any) -> Any:
        """The same entries along axes of other lengths: in the file where they are one run, else all of them."""
        wanted: Sequence[int] = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        known = math.prod(length for length in wanted if length >= 0)
        lengths = [self.size // max(known, 1) if length < 0 else int(length) for length in wanted]
        if not self.is_one_run or math.prod(lengths) != self.size:
            return np.asarray(self).reshape(wanted)
        return self._view(self._first, axes_of(lengths, self.dtype.itemsize))

    def transpose(self, *axes: Any) -> "FileArray":
        """The same with its axes in another order, the reverse one where none is given."""
        order = axes[0] if len(axes) == 1 and isinstance(axes[0], tuple | list) else axes
        return self._view(self._start, tuple(self._axes[axis] for axis in order or range(self.ndim)[::-1]))

    def swapaxes(self, one: int, other: int) -> "FileArray":
        """The same with two of its axes exchanged."""
        order = list(range(self.ndim))
        order[one], order[other] = order[other], order[one]
        return self.transpose(order)

    def view(self, dtype: Any = None) -> Any:
        """The same entries, their bytes seen as another dtype."""
        seen = self.dtype if dtype is None else np.dtype(dtype)
        if seen.itemsize != self.dtype.itemsize:
            return np.asarray(self).view(seen)
        return FileArray(self._file, seen, self._start, self._axes, self._changes)

    def read_into(self, out: Array, first: int) -> None:
        """Fill a C-contiguous array of the same dtype with the entries from number `first` on, where `is_one_run`.

        Raises:
            InputError: the file was written to since it was opened.
        """
        self._fill(out.reshape(-1).view(np.uint8), self._first + first * self.dtype.itemsize)

    def require_unchanged(self) -> None:
        """Raise InputError where the file was written to since it was opened."""
        self._file.require_unchanged()

    @property
    def _first(self) -> int:
        return self._start + sum(axis.start for axis in self._axes)

    def _view(self, start: int, axes: Axes) -> "FileArray":
        return FileArray(self._file, self.dtype, start, axes, self._changes)

    def _picked(self, keys: list[Any]) -> Array:
        """What an index with arrays in it names."""
        places = [place for place, key in enumerate(keys) if isinstance(key, int | Array)]
        begin, end = places[0], places[-1] + 1
        if len(places) < end - begin:  # apart from each other: NumPy puts their axes first
            array: Array = np.asarray(self)[tuple(keys)]
            return array
        left = iter(self._axes)
        starts = np.array(self._start)
        for key in keys[:begin]:
            starts = np.add.outer(starts, np.array(range(1) if key is None else next(left)[key], np.int64))
        picked: Array = sum((places_on(next(left), key) for key in keys[begin:end]), np.array(0))
        return self._read(
            np.add.outer(starts, picked), tuple(range(1) if key is None else next(left)[key] for key in keys[end:])
        )

    def _read(self, starts: Array, axes: Axes) -> Array:
        """The entries along some axes from each start on: [*starts.shape, *lengths of the axes]."""
        lengths = tuple(map(len, axes))
        if 0 in (*starts.shape, *lengths):
            return np.empty(starts.shape + lengths, self.dtype)
        order = sorted(range(len(axes)), key=lambda place: -abs(axes[place].step))  # as they lie in the file
        laid = tuple(axes[place] for place in order)
        size, outer = runs_of(laid, self.dtype.itemsize)
        firsts = starts + sum(axis.start for axis in laid[len(outer) :])
        for axis in outer:
            firsts = np.add.outer(firsts, np.array(axis, np.int64))
        read = self._gathered(firsts.reshape(-1), size).view(self.dtype)
        read = read.reshape(starts.shape + tuple(map(len, laid)))
        back = [starts.ndim + order.index(place) for place in range(len(axes))]
        return read.transpose([*range(starts.ndim), *back])

    def _gathered(self, places: Array, size: int) -> Array:
        """So many bytes from each place on, [places, size]; what stands close together is read at once."""
        out = np.empty((len(places), size), np.uint8)
        order = np.argsort(places, kind="stable")
        steps, windows = np.diff(places[order]), np.diff(places[order] // _WINDOW)
        for group in np.split(order, np.flatnonzero((steps > size + _GAP) | (windows > 0)) + 1):
            first, last = int(places[group[0]]), int(places[group[-1]])
            if len(group) == 1:
                self._fill(out[group[0]], first)
            else:
                piece = np.empty(last + size - first, np.uint8)
                self._fill(piece, first)
                out[group] = sliding_window_view(piece, size)[places[group] - first]
        return out

    def _fill(self, out: Array, place: int) -> None:
        self._file.fill(out, place)
        for at, value in self._changes.items():
            if place <= at < place + len(out):
                out[at - place : at - place + len(value)] = np.frombuffer(value, np.uint8)


def open_array(path: Path, dtype: np.dtype[Any], shape: Sequence[int], offset: int) -> FileArray:
    """The array in C order that stands at an offset, in bytes, of a file.

    Raises:
        InputError: the file ends before the array does.
        OSError: the file can't be opened.
    """
    file = OpenFile(path)
    array = FileArray(file, dtype, offset, axes_of(shape, dtype.itemsize))
    if file.length < offset + array.nbytes:
        raise file.changed()
    return array


def require_unchanged(array: Any) -> None:
    """Refuse numbers that were just read from a file which was written to meanwhile; other arrays can't change.

    Raises:
        InputError: the file of the array is not as it was when it was opened.
    """
    if isinstance(array, FileArray):
        array.require_unchanged()
