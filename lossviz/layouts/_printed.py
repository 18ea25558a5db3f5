"""What the printed number says of a file: whether it is the mean of the losses of some timesteps."""

import numpy as np

from lossviz.layouts._draft import Draft
from lossviz.layouts._fit import losses_at, sampled

__all__ = ["prints_mean"]

Array = np.ndarray


def prints_mean(draft: Draft, counts: Array) -> bool:
    """Whether the printed number is the mean loss of the logits against the targets where `counts` is true, [B, T].

    >>> fields = {"logits": np.log([[[0.5, 0.5], [0.2, 0.8]]]), "targets": np.array([[0, 0]]), "reported": "0.6931"}
    >>> prints_mean(Draft(fields), np.array([[True, False]])), prints_mean(Draft(fields), np.array([[True, True]]))
    (True, False)
    """
    printed, logits = draft.reported, draft.shape("logits")
    try:
        wanted = float(str(printed))
    except ValueError:
        return False
    if len(logits) != 3 or draft.shape("targets") != logits[:2]:
        return False
    targets = np.asarray(draft["targets"])
    rows, columns = np.nonzero(counts & (targets >= 0) & (targets < logits[2]))
    if not len(rows) or len(sampled(len(rows), logits[2])) < len(rows):
        return False
    mean = float(np.mean(losses_at(draft["logits"], rows, columns, targets[rows, columns])))
    return abs(mean - wanted) <= 0.5 * 10.0 ** -len(str(printed).partition(".")[2]) + 1e-6 * abs(mean)
