"""Probabilities in the place of logits, as Keras models give them that end in a softmax or a sigmoid.

They are recognised by lying in [0, 1] with rows that add up to 1 (to 1e-3; 1e-2 in half precision), or, with one a
timestep, by lying in [0, 1] without being labels of the same kind. The logits are then ln p, normalised, or
ln p − ln(1 − p) of a sigmoid; the losses are exactly those of the probabilities. What is judged is the mask and the
divisor. That the loop takes a second softmax shows in the printed number only.

- `--layout plain` reads them as logits; MOD01 then says that they are none.
"""

from typing import Any

import numpy as np

from lossviz.file_arrays import ARRAYS
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._fit import sampled

__all__ = ["LAYOUT", "logits_of"]

Array = np.ndarray
BLOCK = 1 << 22
TINY = np.finfo(np.float64).tiny
FEW = 8
"""Fewer logits of one class may lie in [0, 1] by chance."""
EPSILON = 1e-7
"""Keras clips probabilities to this distance from 0 and 1."""


def read(draft: Draft) -> Draft | None:
    """Take the logarithms of probabilities."""
    shape = draft.shape("logits")
    if len(shape) != 3 or 0 in shape:
        return None
    logits: Any = draft["logits"] if isinstance(draft["logits"], ARRAYS) else np.asarray(draft["logits"])
    if logits.dtype.kind not in "fV":
        return None
    flat = logits.reshape(-1, shape[2])
    if not _are_probabilities(np.asarray(flat[sampled(len(flat), shape[2])])):
        return None
    if not all(
        _are_probabilities(np.asarray(flat[at : at + _step(shape)])) for at in range(0, len(flat), _step(shape))
    ):
        return None
    return _logarithms(draft, logits)


def logits_of(values: Array) -> Array:
    """The logits of a sigmoid's probabilities [..., 1]; what are no probabilities stays as it is.

    >>> logits_of(np.full((1, 8, 1), 0.5)).ravel()[:2].tolist(), logits_of(np.array([[[3.0]]])).tolist()
    ([0.5, 0.5], [[[3.0]]])
    """
    if not _are_probabilities(np.asarray(values).reshape(-1, 1)):
        return values
    clipped = np.clip(np.asarray(values).astype(np.float64), EPSILON, 1 - EPSILON)
    logits: Array = np.log(clipped) - np.log1p(-clipped)
    return logits


def _logarithms(draft: Draft, logits: Array) -> Draft:
    called = draft.called("logits")
    if logits.shape[2] == 1:
        read = draft.replacing(logits=logits_of(logits))
        return read.assuming(f"{called} holds a sigmoid's probabilities, of which the logits are taken", "layout")
    values = np.log(np.maximum(np.asarray(logits).astype(np.float64), TINY))
    values -= np.log(np.exp(values).sum(axis=-1, keepdims=True))
    return draft.replacing(logits=values).assuming(
        f"{called} holds probabilities (in [0, 1], each row adds up to 1), of which the logarithms are taken, so that "
        "a second softmax in the loop (MOD01) shows in the printed number only",
        "layout",
    )


def _step(shape: tuple[int, ...]) -> int:
    return max(1, BLOCK // shape[2])


def _are_probabilities(rows: Array) -> bool:
    """Whether rows lie in [0, 1] and add up to 1; one probability a row must be spread as logits hardly are."""
    slack = 1e-3 if rows.dtype.itemsize > 2 else 1e-2
    rows = rows.astype(np.float64)
    if not np.isfinite(rows).all() or rows.min(initial=0) < 0 or rows.max(initial=0) > 1:
        return False
    if rows.shape[1] == 1:
        return len(rows) >= FEW and bool(np.ptp(rows) > 0)
    return not np.isin(rows, (0, 1)).all() and bool((np.abs(rows.sum(axis=1) - 1) < slack).all())


LAYOUT = Layout("probabilities", "Probabilities", __doc__ or "", "values in [0, 1] whose rows add up to 1", read)
