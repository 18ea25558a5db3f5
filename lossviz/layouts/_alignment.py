"""Whether Hugging Face labels are compared with the logits as they are, or with those one timestep before."""

from dataclasses import dataclass

import numpy as np

from lossviz.layouts._draft import Draft
from lossviz.layouts._fit import better, losses_at, sampled

__all__ = ["Alignment", "alignment", "is_hugging_face"]

Array = np.ndarray
IGNORED = -100
_LABELS = ("labels", "label", "shift_labels")
_INPUTS = ("input_ids", "decoder_input_ids")


@dataclass(frozen=True)
class Alignment:
    """How labels stand to the logits.

    Attributes:
        shifted: whether the model compares each timestep with the next label.
        clear: whether the logits fit only that.
    """

    shifted: bool
    clear: bool


def is_hugging_face(draft: Draft) -> bool:
    """Whether the names, or −100 in the labels, are those of a Hugging Face batch."""
    if draft.origin.get("targets") not in _LABELS:
        return False
    marked = draft.origin.get("inputs") in _INPUTS or "attention_mask" in draft
    return marked or draft.origin["targets"] == "shift_labels" or bool((np.asarray(draft["targets"]) == IGNORED).any())


def alignment(draft: Draft) -> Alignment | None:
    """How the labels of a draft are to be read; None where it is laid out in another way."""
    logits, targets = draft.shape("logits"), draft.shape("targets")
    if (
        len(logits) != 3
        or logits[2] < 2
        or targets != logits[:2]
        or np.asarray(draft["targets"]).dtype.kind not in "iu"
    ):
        return None
    if draft.choices.forces("hugging-face") or draft.choices.shift:
        return Alignment(True, True)
    if draft.choices.forces("encoder-decoder"):
        return Alignment(False, True)
    known = is_hugging_face(draft)
    if draft.choices.shift is False or draft.origin.get("targets") == "shift_labels":
        return Alignment(False, True) if known else None
    return _fitting(draft, known)


def _fitting(draft: Draft, known: bool) -> Alignment | None:
    """What the logits fit; where that can't be told, what the inputs suggest."""
    targets = np.asarray(draft["targets"])
    copied = _copies_inputs(draft, targets)
    ignored = bool((targets == IGNORED).any())
    if not (known or (copied and ignored) or draft.origin.get("targets") in _LABELS):
        return None  # `targets` that copy the inputs without a −100 are SHF01's: nothing says that a model shifts them
    bare = known and ("inputs" not in draft or not (targets >= 0).any())
    fit = better(draft["logits"], targets, (1, 0) if copied or bare else (0, 1))
    if known:
        return Alignment(fit.offset == 1, fit.clear)
    is_next = fit.offset == 1 and fit.clear and not _prints_aligned(draft, targets)
    return Alignment(True, True) if is_next else None


def _copies_inputs(draft: Draft, targets: Array) -> bool:
    """Whether the labels are the inputs of their own timestep, wherever they are classes."""
    if draft.shape("inputs") != targets.shape:
        return False
    inputs, real = np.asarray(draft["inputs"]), targets >= 0
    if "attention_mask" in draft and draft.shape("attention_mask") == targets.shape:
        real &= np.asarray(draft["attention_mask"]) != 0
    count = int(real.sum())
    follows = (inputs[:, 1:] == targets[:, :-1]) & real[:, :-1]
    same = int(((inputs == targets) & real).sum())
    return count > 1 and same > 0.95 * count and int(follows.sum()) < same  # a decoder's, that repeats: as many


def _prints_aligned(draft: Draft, targets: Array) -> bool:
    """Whether the printed number is the mean of the losses without a shift: the loop really has none."""
    printed = draft.choices.reported or draft.fields.get("reported")
    try:
        wanted = float(str(printed))
    except ValueError:
        return False
    rows, columns = np.nonzero((targets >= 0) & (targets < draft.shape("logits")[2]))
    if len(sampled(len(rows), draft.shape("logits")[2])) < len(rows):
        return False
    mean = float(np.mean(losses_at(draft["logits"], rows, columns, targets[rows, columns])))
    return abs(mean - wanted) <= 0.5 * 10.0 ** -len(str(printed).partition(".")[2]) + 1e-6 * abs(mean)
