"""Time comes first: logits [T, B, V], targets [T, B].

It is recognised by what has one entry a sequence or a timestep: lengths of as many entries as the second axis and not
the first, lengths that are larger than the second axis, or targets [B, T] beside logits [T, B, V].

- `--layout time-major` says so where nothing shows it, `--layout plain` denies it.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._fit import better

__all__ = ["LAYOUT"]

_PER_TIMESTEP = ("targets", "weights", "inputs", "segment_ids", "attention_mask", "position_ids")


def read(draft: Draft) -> Draft | None:
    """Put the sequences first."""
    if len(draft.shape("logits")) != 3:
        return None
    timesteps, sequences = draft.shape("logits")[:2]
    if _only_targets_turned(draft, timesteps, sequences):
        turned = {"targets": np.swapaxes(draft["targets"], 0, 1)}
        return draft.replacing(**turned).assuming(
            "time comes first in the targets, so their axes are swapped", "layout"
        )
    if not (draft.choices.forces("time-major") or _is_time_major(draft, timesteps, sequences)):
        return None
    turned = {
        name: np.swapaxes(draft[name], 0, 1)
        for name in ("logits", *_PER_TIMESTEP)
        if draft.shape(name)[:2] == (timesteps, sequences)
    }
    return draft.replacing(**turned).assuming("time comes first, so the first two axes are swapped", "layout")


def _only_targets_turned(draft: Draft, first: int, second: int) -> bool:
    """Whether the lengths say that the first axis of the logits is the sequences, while the targets have it second."""
    turned = draft.shape("targets")[:2] == (second, first) and first != second
    return turned and draft.shape("lengths") == (first,) and not draft.choices.forces("time-major")


def _is_time_major(draft: Draft, timesteps: int, sequences: int) -> bool:
    if timesteps == sequences:
        return False
    if draft.shape("targets")[:2] == (sequences, timesteps):
        return True
    if draft.shape("targets")[:2] != (timesteps, sequences):
        return False
    if "lengths" in draft:
        return draft.shape("lengths") == (sequences,)
    return draft.choices.layout is None and _fits_along_the_first(draft)


def _fits_along_the_first(draft: Draft) -> bool:
    """Whether the logits fit the next label along the first axis alone; only labels that copy the inputs are asked."""
    targets, shape = np.asarray(draft["targets"]), draft.shape("logits")
    if draft.shape("inputs") != targets.shape or targets.dtype.kind not in "iu" or len(shape) != 3 or shape[2] < 2:
        return False
    real = targets >= 0
    if not real.any() or (np.asarray(draft["inputs"]) == targets)[real].mean() < 0.95:
        return False
    turned = better(np.swapaxes(draft["logits"], 0, 1), targets.T, (0, 1))
    return turned.offset == 1 and turned.clear and better(draft["logits"], targets, (0, 1)).offset == 0


LAYOUT = Layout("time-major", "Time first", __doc__ or "", "logits [T, B, V]", read)
