"""Values computed once for an object and kept with it: the decorator `cached`."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Generic, TypeVar, overload

import numpy as np

__all__ = ["cached"]

C = TypeVar("C", contravariant=True)
T = TypeVar("T", covariant=True)


class cached(property, Generic[C, T]):  # noqa: N801 - a decorator, like `property`
    """A property, or a function of one object, whose value is computed once and stored on the object.

    Arrays become read-only, because everybody who asks gets the same one. Works on frozen dataclasses.

    >>> class Sequence:
    ...     losses = np.array([1.0, 2.0])
    ...     @cached
    ...     def doubled(self):
    ...         return 2 * self.losses
    >>> @cached
    ... def total(sequence):
    ...     return sequence.doubled.sum()
    >>> sequence = Sequence()
    >>> sequence.doubled is sequence.doubled, float(total(sequence))
    (True, 6.0)
    """

    def __init__(self, work: Callable[[C], T]) -> None:
        super().__init__(work)
        update_wrapper(self, work)
        self._work, self._key = work, f"{work.__module__}.{work.__qualname__}"

    @overload
    def __get__(self, instance: None, owner: Any = None) -> "cached[C, T]": ...
    @overload
    def __get__(self, instance: C, owner: Any = None) -> T: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else self(instance)

    def __call__(self, instance: C) -> T:
        """The value for this object, computed when it is first asked for."""
        known = vars(instance)
        if self._key not in known:
            value = self._work(instance)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
            known[self._key] = value
        result: T = known[self._key]
        return result
