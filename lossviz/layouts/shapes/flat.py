"""No axis for sequences: logits [N, V] and targets [N], of one sequence or of several one after the other.

Read as one row of N timesteps. Where the file says where sequences end, the layout "packed" cuts the row up after that.
One label a sequence, logits [B, K] and labels [B], has the same shape and the same mean.

- `--layout plain` refuses flat logits.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]

_PER_TIMESTEP = ("targets", "weights", "inputs", "segment_ids", "attention_mask", "position_ids")


def read(draft: Draft) -> Draft | None:
    """Give flat arrays an axis of one sequence."""
    logits, targets = draft.shape("logits"), draft.shape("targets")
    if "logits" not in draft and len(targets) == 1 and draft.shape("log_probs") == targets:
        rows = {
            name: np.asarray(draft[name])[None]
            for name in ("log_probs", *_PER_TIMESTEP)
            if draft.shape(name) == targets
        }
        return draft.replacing(**rows).assuming(f"one row of {targets[0]:,} timesteps", "layout")
    if len(logits) != 2:
        return _flat_targets(draft)
    whole = targets in (logits[:1], (1, *logits[:1])) and targets != logits
    return _one_row(draft) if whole or _is_one_hot(draft) else None


def _is_one_hot(draft: Draft) -> bool:
    """Whether the targets [N, V] have one 1 a row; labels of one logit a timestep have any number of them."""
    if draft.shape("targets") != draft.shape("logits") or draft.shape("logits")[1] < 3:
        return False
    targets = np.asarray(draft["targets"])
    return bool(np.isin(targets, (0, 1)).all() and (targets.sum(axis=-1) == 1).all())


def _one_row(draft: Draft) -> Draft:
    count = draft.shape("logits")[0]
    rows = {name: draft[name][None] for name in _PER_TIMESTEP if _is_flat(draft, name)}
    read = draft.replacing(logits=draft["logits"][None], **rows)
    return read.assuming(f"the logits have no axis for sequences: one row of {count:,} timesteps", "layout")


def _is_flat(draft: Draft, name: str) -> bool:
    """Whether a field has one entry, or one row of the logits' width, for each of the flat timesteps."""
    return draft.shape(name) in (draft.shape("logits")[:1], draft.shape("logits")) and name in draft.fields


def _flat_targets(draft: Draft) -> Draft | None:
    """Logits [B, T, V] beside flattened arrays [B·T]."""
    logits = draft.shape("logits")
    if len(logits) != 3 or draft.shape("targets") != (logits[0] * logits[1],):
        return None
    shaped = {
        name: draft[name].reshape(logits[:2]) for name in _PER_TIMESTEP if draft.shape(name) == draft.shape("targets")
    }
    return draft.replacing(**shaped).assuming("the targets are flat, row after row", "layout")


LAYOUT = Layout("flat", "Flat rows", __doc__ or "", "logits [N, V] and targets [N]", read)
