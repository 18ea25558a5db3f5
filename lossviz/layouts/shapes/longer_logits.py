"""Logits of more timesteps than there are targets: a prompt and its completion, beside the ids of the completion.

Logits [B, P + C, V] beside targets [B, C]: the logits of the last C timesteps are taken, or those that stand one
timestep before each of them, or the first C, whichever fit the targets; the last C where that can't be told. A CTC loss
is of another kind: it has no target for each timestep, and is not covered.

- Cut the logits before you save them, and nothing is assumed; `--layout longer-logits` takes the last ones where logits
  of more than twice as many timesteps fit nowhere.
"""

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._fit import better, sampled

__all__ = ["LAYOUT"]

CTC = {"input_lengths", "logit_lengths", "blank", "blank_id", "blank_index", "ctc_loss"}


def read(draft: Draft) -> Draft | None:
    """Take the logits of the targets' timesteps.

    Raises:
        InputError: if the logits are those of a CTC loss, or may be.
    """
    logits, targets = draft.shape("logits"), draft.shape("targets")
    if len(logits) != 3 or len(targets) != 2 or logits[0] != targets[0] or not 0 < targets[1] < logits[1]:
        return None
    if _is_ctc(draft):
        raise InputError(
            "A CTC loss has no target for each timestep, so lossviz can't show which timesteps make it up: CTC is not "
            "covered."
        )
    more, count = logits[1] - targets[1], targets[1]
    fit = better(draft["logits"], np.asarray(draft["targets"]), tuple(dict.fromkeys((-more, 1 - more, 0))))
    if not fit.clear and logits[1] > 2 * count and not draft.choices.forces("longer-logits"):
        raise InputError(_unclear(logits[1], count))
    start = -fit.offset
    cut = {
        name: draft[name][:, start : start + count]
        for name in ("inputs", "attention_mask", "position_ids", "segment_ids", "weights")
        if draft.shape(name) == logits[:2]
    }
    return draft.replacing(logits=draft["logits"][:, start : start + count], **cut).assuming(
        _said(start, more, count), "layout"
    )


def _unclear(timesteps: int, count: int) -> str:
    return (
        f"There are {timesteps} timesteps of logits and {count} of targets, and the logits fit the targets nowhere: a "
        "CTC loss has no target for each timestep and is not covered; of a prompt and its completion, save the logits "
        f"of the completion, `logits[:, -{count}:]`."
    )


def _said(start: int, more: int, count: int) -> str:
    if start == more:
        which = f"the last {count} timesteps are compared with the targets"
    elif start == 0:
        which = f"the first {count} timesteps are compared with the targets, which they fit"
    else:
        which = f"the {count} timesteps one before the last {count} are compared with the targets, which they fit"
    return f"there are logits of {more} timesteps more than targets: {which}"


def _is_ctc(draft: Draft) -> bool:
    """Whether the file names what only CTC has, or most timesteps choose one class that no target is."""
    if CTC & {name.lower() for name in draft.fields} or (
        {"target_lengths"} & {*draft.origin.values()} and "input_lengths" in draft
    ):
        return True
    logits, targets = draft["logits"], np.asarray(draft["targets"])
    rows, columns = np.divmod(sampled(logits.shape[0] * logits.shape[1], logits.shape[2]), logits.shape[1])
    scores = np.asarray(logits[rows, columns]).astype(np.float64)
    if not np.isfinite(scores).all() or not np.ptp(scores):
        return False
    ids, counts = np.unique(scores.argmax(axis=-1), return_counts=True)
    blank = int(ids[counts.argmax()])
    return bool(
        counts.max() > 0.5 * len(rows)
        and blank in (0, logits.shape[2] - 1)
        and blank not in targets[:, 0]
        and not (targets == blank)[:, :-1].any()
    )


LAYOUT = Layout(
    "longer-logits", "Logits of prompt and completion", __doc__ or "", "logits of more timesteps than targets", read
)
