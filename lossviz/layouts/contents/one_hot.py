"""Targets as one-hot rows [B, T, V], as `keras.losses.CategoricalCrossentropy` takes them.

The class of a timestep is where its row has the largest entry. Rows of zeros are padding: they become −100, which is
ignored. Rows of 1 − ε + ε/V and ε/V are one-hot rows that label smoothing was applied to: ε is said.

- Save `targets.argmax(-1)` and the lengths, and nothing is assumed. Other soft targets (distillation) are not covered.
"""

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]

Array = np.ndarray
SOFT = (
    "The targets are distributions over the classes (soft targets, as distillation has them): lossviz covers one class "
    "a timestep, with label smoothing at most."
)


def read(draft: Draft) -> Draft | None:
    """Give each row the class of its largest entry.

    Raises:
        InputError: if the rows are distributions that are no smoothed one-hot rows.
    """
    logits = draft.shape("logits")
    if len(logits) != 3 or draft.shape("targets") != logits or logits[2] < 2:
        return None
    rows = np.asarray(draft["targets"]).astype(np.float64)
    empty = (rows == 0).all(axis=-1)
    if np.isin(rows, (0, 1)).all():
        return _classes(draft, rows, empty, "") if (rows.sum(axis=-1) <= 1).all() else None
    if np.allclose(rows.sum(axis=-1)[~empty], 1, atol=1e-3) and (rows >= 0).all():
        return _classes(draft, rows, empty, _smoothing(rows[~empty]))
    return None


def _classes(draft: Draft, rows: Array, empty: Array, smoothed: str) -> Draft:
    targets = np.where(empty, -100, rows.argmax(axis=-1))
    zero = "; rows of zeros are padding" if empty.any() else ""
    read = draft.replacing(targets=targets).assuming(f"the targets are one-hot{smoothed}{zero}", "layout")
    return read if draft.choices.ignore_id is not None or not empty.any() else read.replacing(ignore_id=-100)


def _smoothing(rows: Array) -> str:
    """The ε of smoothed rows, in words."""
    classes = rows.shape[-1]
    rest = np.sort(rows, axis=-1)[:, :-1]
    if np.ptp(rest) > 1e-4:
        raise InputError(SOFT)
    return f", smoothed with ε = {rest.mean() * classes:.3g} (`identify` takes it as `smoothing`)"


LAYOUT = Layout("one-hot", "One-hot targets", __doc__ or "", "targets [B, T, V] of zeros and ones", read)
