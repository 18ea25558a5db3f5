"""Where the entries of an array stand: an axis is a range of bytes, which Python slices and indexes as NumPy would."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["Axes", "axes_of", "keys_of", "places_on", "runs_of"]

Array = np.ndarray
Axes = tuple[range, ...]


def axes_of(lengths: Sequence[int], size: int) -> Axes:
    """Axes in C order of entries of so many bytes.

    >>> axes_of((2, 3), 4)
    (range(0, 24, 12), range(0, 12, 4))
    """
    steps = [math.prod(lengths[place + 1 :]) * size or 1 for place in range(len(lengths))]
    return tuple(range(0, length * step, step) for length, step in zip(lengths, steps, strict=True))


def runs_of(axes: Axes, size: int) -> tuple[int, Axes]:
    """The bytes that stand together along the last axes, and the axes before those.

    >>> runs_of(axes_of((2, 3), 4), 4), runs_of((range(0, 24, 12), range(0, 8, 4)), 4)
    ((24, ()), (8, (range(0, 24, 12),)))
    """
    count = len(axes)
    while count and (len(axes[count - 1]) == 1 or axes[count - 1].step == size):
        count -= 1
        size *= len(axes[count])
    return size, axes[:count]


def keys_of(index: Any, shape: tuple[int, ...]) -> list[Any]:
    """An index as one entry an axis: an integer, a slice, or an array of integers; and None for new axes.

    Raises:
        IndexError: it fits no array of that shape.

    >>> keys_of((..., 1), (2, 3)), keys_of(np.array([True, False]), (2, 3))
    ([slice(None, None, None), 1], [array([0]), slice(None, None, None)])
    """
    given = [one if _is_plain(one) else np.asarray(one) for one in (index if isinstance(index, tuple) else (index,))]
    taken = sum(map(_axes_taken, given))
    if not any(one is Ellipsis for one in given):
        given.append(Ellipsis)
    if taken > len(shape) or sum(one is Ellipsis for one in given) > 1:
        raise IndexError(f"too many indices: {taken} for an array of {len(shape)} axes")
    keys = list[Any]()
    axis = 0
    for one in given:
        if one is Ellipsis:
            keys += [slice(None)] * (len(shape) - taken)
            axis += len(shape) - taken
            continue
        keys += _entries(one, shape[axis:])
        axis += _axes_taken(one)
    return keys


def _is_plain(one: Any) -> bool:
    return one is None or one is Ellipsis or isinstance(one, slice)


def _axes_taken(one: Any) -> int:
    if one is None or one is Ellipsis:
        return 0
    return one.ndim if isinstance(one, Array) and one.dtype == bool else 1


def _entries(one: Any, shape: tuple[int, ...]) -> list[Any]:
    if not isinstance(one, Array):
        return [one]
    if one.dtype == bool:
        if one.shape != shape[: one.ndim]:
            raise IndexError(f"a mask of shape {one.shape} for axes of shape {shape[: one.ndim]}")
        return list(one.nonzero())
    if one.dtype.kind not in "iu" and one.size:
        raise IndexError(f"an index must be integers; got {one.dtype.name}")
    return [one.astype(np.int64) if one.ndim else int(one)]


def places_on(axis: range, index: Any) -> Array:
    """Where entries of an axis stand, by their numbers, of which negative ones count from the end.

    Raises:
        IndexError: there is no such entry.

    >>> places_on(range(0, 24, 12), np.array([1, -2])).tolist()
    [12, 0]
    """
    numbers, count = np.asarray(index), len(axis)
    if ((numbers < -count) | (numbers >= count)).any():
        raise IndexError(f"an index is out of bounds for an axis of length {count}")
    places: Array = axis.start + axis.step * np.where(numbers < 0, numbers + count, numbers)
    return places
