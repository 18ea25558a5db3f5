"""An analysis that no rule can write to, so that no rule changes what the next one sees."""

from collections.abc import Callable
from dataclasses import fields, replace
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np

from lossviz.analysis import Analysis
from lossviz.batch import Batch

__all__ = ["fact", "frozen", "own_logits", "remembered"]

C = TypeVar("C")
T = TypeVar("T")


def frozen(analysis: Analysis) -> Analysis:
    """The same numbers as views that refuse to be written to; the arrays themselves stay as they are.

    >>> from lossviz.analysis import analyze
    >>> guarded = frozen(analyze(Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]])))
    >>> guarded.batch_loss[0, 0] = 7
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    """
    batch = replace(analysis.batch, logits=_view(analysis.batch.logits))
    arrays = {field.name: getattr(analysis, field.name) for field in fields(analysis)}
    views: dict[str, Any] = {name: _view(value) for name, value in arrays.items() if isinstance(value, np.ndarray)}
    guarded = replace(analysis, batch=batch, **views)
    guarded.mask.flags.writeable = False
    return guarded


def own_logits(repaired: Batch, guarded: Batch, given: Batch) -> Batch:
    """A repaired batch with the logits that were given, not their view, so that its losses need not be computed."""
    return replace(repaired, logits=given.logits) if repaired.logits is guarded.logits else repaired


def fact(work: Callable[[Any], T]) -> "cached_property[T]":
    """A property that is worked out once, and read-only where it is an array."""

    @wraps(work)
    def locked(case: Any) -> T:
        return _locked(work(case))

    return cached_property(locked)


def remembered(work: Callable[[C], T]) -> Callable[[C], T]:
    """A function of a case that is worked out once for each, and read-only where it is an array."""
    name = f"{work.__module__}.{work.__qualname__}"

    @wraps(work)
    def known(case: C) -> T:
        facts = vars(case)
        if name not in facts:
            facts[name] = _locked(work(case))
        value: T = facts[name]
        return value

    return known


def _locked(value: T) -> T:
    if isinstance(value, np.ndarray):
        value.flags.writeable = False
    return value


def _view(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.flags.writeable = False
    return view
