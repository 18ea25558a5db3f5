"""Rows that end in runs of one id which stands nowhere else, where the file names no pad id and no mask.

The id is taken for the pad id, so these timesteps don't count: of equal sequences, one would hardly end in a longer run
than the next. A loop that counts them shows in the printed number (PAD01).

- `--pad-id ID` names another id; `--layout plain` counts every timestep.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT", "ending_runs"]

Array = np.ndarray
SAYING = {"weights", "lengths", "ignore_id", "attention_mask", "segment_ids", "pad_id"}


def read(draft: Draft) -> Draft | None:
    """Name the pad id that the targets show."""
    if SAYING & {*draft.fields} or draft.choices.pad_id is not None or draft.choices.weights is not None:
        return None
    if len(draft.shape("logits")) != 3 or draft.shape("logits")[2] < 3 or len(draft.shape("targets")) != 2:
        return None
    pad = ending_runs(np.asarray(draft["targets"]))
    if pad is None:
        return None
    return draft.replacing(pad_id=pad).assuming(
        f"{draft.called('targets')} end in runs of {pad}, which stands nowhere else: the pad id", "pad_id", "ID"
    )


def ending_runs(ids: Array) -> int | None:
    """The one id that ends rows of [B, T] in runs of unequal lengths, two or more of them, and stands nowhere else.

    >>> ending_runs(np.array([[5, 6, 7], [8, 9, 0], [5, 0, 0]])), ending_runs(np.array([[5, 6, 0], [8, 0, 0]]))
    (0, None)
    """
    if ids.dtype.kind not in "iu" or ids.ndim != 2 or len(ids) < 3 or not ids.size:
        return None
    last, counts = np.unique(ids[:, -1], return_counts=True)
    pad = last[counts.argmax()]
    same = ids == pad
    runs = np.logical_and.accumulate(same[:, ::-1], axis=1).sum(axis=1)
    padded = runs > 0
    alone = int(same.sum()) == int(runs.sum()) and (runs < ids.shape[1]).all()
    several = len(np.unique(runs[padded])) > 1 and int(runs.max()) > 1 and padded.sum() > 1
    return int(pad) if alone and several and runs.sum() > len(ids) / 2 else None


LAYOUT = Layout("unnamed-padding", "Padding without a name", __doc__ or "", "targets that end in runs of one id", read)
