"""An analysis that no rule can write to, so that no rule changes what the next one sees."""

from dataclasses import fields, replace
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.batch import Batch

__all__ = ["frozen", "own_logits"]


def frozen(analysis: Analysis) -> Analysis:
    """The same analysis with read-only views of its arrays; the arrays themselves stay writable.

    >>> from lossviz.analysis import analyze
    >>> guarded = frozen(analyze(Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]])))
    >>> guarded.batch_loss[0, 0] = 7
    Traceback (most recent call last):
    ValueError: assignment destination is read-only
    """
    batch = replace(analysis.batch, logits=None if analysis.batch.logits is None else _view(analysis.batch.logits))
    arrays = {field.name: getattr(analysis, field.name) for field in fields(analysis)}
    views: dict[str, Any] = {name: _view(value) for name, value in arrays.items() if isinstance(value, np.ndarray)}
    guarded = replace(analysis, batch=batch, **views)
    guarded.mask.flags.writeable = False
    return guarded


def own_logits(repaired: Batch, guarded: Batch, given: Batch) -> Batch:
    """Put the original logits back in place of their view, so that cached losses can be reused."""
    return replace(repaired, logits=given.logits) if repaired.logits is guarded.logits else repaired


def _view(array: np.ndarray) -> np.ndarray:
    view = array.view()
    if isinstance(view, np.ndarray):  # what is in a file is read-only
        view.flags.writeable = False
    return view
