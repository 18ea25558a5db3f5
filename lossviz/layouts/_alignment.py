"""Whether Hugging Face labels are compared with the logits as they are, or with those one timestep before."""

from dataclasses import dataclass

import numpy as np

from lossviz.layouts._draft import Draft
from lossviz.layouts._fit import better
from lossviz.layouts._printed import prints_mean

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
        tied: whether they fit the labels as they are, which an untrained model with tied weights does.
    """

    shifted: bool
    clear: bool
    tied: bool = False

    @property
    def doubt(self) -> str:
        """What a reader is told of how sure this is, in brackets, or ""."""
        if self.tied:
            return " (they fit the labels themselves better, as an untrained model with tied weights does)"
        return "" if self.clear else " (the logits fit neither much better)"


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
    exactly = copied and bool((np.asarray(draft["inputs"]) == targets)[_real(draft, targets)].all())
    if known and exactly and fit.offset == 0 and fit.clear and not prints_mean(draft, targets >= 0):
        return Alignment(True, False, tied=True)  # no model is trained to predict what it reads
    if known and not fit.clear and prints_mean(draft, targets >= 0):
        return Alignment(False, True)
    if known:
        return Alignment(fit.offset == 1, fit.clear)
    is_next = fit.offset == 1 and fit.clear and not prints_mean(draft, targets >= 0)
    return Alignment(True, True) if is_next else None


def _real(draft: Draft, targets: Array) -> Array:
    """The labels that are classes and that the attention mask, where there is one, calls real."""
    real: Array = targets >= 0
    if draft.shape("attention_mask") == targets.shape:
        real = real & (np.asarray(draft["attention_mask"]) != 0)
    return real


def _copies_inputs(draft: Draft, targets: Array) -> bool:
    """Whether the labels are the inputs of their own timestep, wherever they are classes."""
    if draft.shape("inputs") != targets.shape:
        return False
    inputs, real = np.asarray(draft["inputs"]), _real(draft, targets)
    count = int(real.sum())
    follows = (inputs[:, 1:] == targets[:, :-1]) & real[:, :-1]
    same = int(((inputs == targets) & real).sum())
    return count > 1 and same > 0.95 * count and int(follows.sum()) < same  # a decoder's, that repeats: as many
