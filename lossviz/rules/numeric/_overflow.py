"""Where logits overflowed half precision."""

import numpy as np

from lossviz.caching import cached
from lossviz.rules._core.case import Case
from lossviz.rules.numeric._nonfinite import broken_rows

__all__ = ["infinite_rows", "overflowed", "overflowed_below"]

Array = np.ndarray
MAX_FLOAT16 = 65504.0
"""The largest float16 number."""


def overflowed(case: Case) -> Array:
    """Timesteps whose logits overflowed float16, [B, T]: +inf, the largest float16, or -inf beside large logits."""
    cells: Array = infinite_rows(case) | _at_the_end(case) | overflowed_below(case)
    return cells


def infinite_rows(case: Case) -> Array:
    """Timesteps with a logit of +inf, [B, T]."""
    cells = broken_rows(case) & (case.analysis.non_finite > 0)
    cells[cells] = np.isposinf(case.analysis.scores[cells].astype(np.float64)).any(axis=-1)
    return cells


@cached
def overflowed_below(case: Case) -> Array:
    """Timesteps where a float16 −inf is an overflow, not a masked class: finite logits beside it are very large."""
    if case.logits.dtype.name != "float16":
        return case.nothing
    cells = case.analysis.non_finite > 0
    scores = case.analysis.scores[cells]
    large = np.isfinite(scores) & (np.abs(scores) > MAX_FLOAT16 / 8)
    cells[cells] = np.isneginf(scores).any(axis=-1) & large.any(axis=-1)
    return cells


def _at_the_end(case: Case) -> Array:
    half = case.logits.dtype.name == "float16"
    reached: Array = (np.abs(case.analysis.largest_logit) >= MAX_FLOAT16) & half
    return reached
