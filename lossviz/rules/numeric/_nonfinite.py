"""Where logits are NaN or infinite in a way that reaches the loss or its gradient."""

import numpy as np

from lossviz.batch import Batch
from lossviz.rules._core.case import Case

__all__ = ["broken_loss", "broken_rows", "leaks", "sanitised"]

Array = np.ndarray


def broken_rows(case: Case) -> Array:
    """Where the softmax itself is NaN, [B, T]: the logits hold NaN or +inf, or nothing but -inf."""
    broken: Array = ~np.isfinite(case.analysis.entropy)
    return broken


def broken_loss(case: Case) -> Array:
    """Where the logits make the loss NaN or infinite, [B, T]: the softmax is NaN, or the target has -inf.

    -inf in another class only rules that class out: the loss and its gradient stay finite.
    """
    broken: Array = broken_rows(case) | np.isposinf(case.loss)
    return broken


def leaks(case: Case) -> Array:
    """Where masked losses are NaN or infinite while all losses that count are finite, [B, T]."""
    broken = broken_loss(case)
    if (broken & case.mask).any():
        return case.nothing
    if case.analysis.mask_name == "ignore_id":  # nobody computes the loss of an ignored label: it has no class
        broken = broken & (broken_rows(case) | (case.targets != case.batch.ignore_id))
    return broken


def sanitised(case: Case, cells: Array) -> Batch:
    """The batch with all logits set to 0 at some timesteps."""
    logits = np.array(case.logits)
    logits[cells] = 0
    return case.batch.replace(logits=logits)
