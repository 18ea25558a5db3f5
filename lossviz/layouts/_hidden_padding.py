"""What Hugging Face leaves out of the loss without saying so in the file, and what it does not leave out."""

import numpy as np

from lossviz.layouts._alignment import IGNORED
from lossviz.layouts._draft import Draft
from lossviz.layouts._printed import prints_mean

__all__ = ["ignoring", "pad_id_of", "saying_attention", "saying_ends", "saying_last"]

Array = np.ndarray
FEWEST = 3
"""So many sequences don't end in one token by chance."""


def ignoring(draft: Draft) -> Draft:
    """Ignore −100 where it occurs and no other label was said to be ignored; under weights, it weighs nothing."""
    targets = np.asarray(draft["targets"])
    ignored = draft.choices.ignore_id if draft.choices.ignore_id is not None else draft.fields.get("ignore_id")
    if ignored is None and not (targets == IGNORED).any():
        return draft
    if "weights" in draft:
        weights = np.where(targets == (IGNORED if ignored is None else ignored), 0, np.asarray(draft["weights"]))
        draft = draft.replacing(weights=weights)
    if ignored is not None:
        return draft.replacing(ignore_id=ignored)
    return draft.replacing(ignore_id=IGNORED).assuming("−100 is ignored", "ignore_id", "ID")


def pad_id_of(draft: Draft) -> int | None:
    """The id that fills `input_ids` wherever `attention_mask` is 0, and stands nowhere else; None if it is known."""
    filler, inside = _filler(draft)
    return None if inside.any() else filler


def _filler(draft: Draft) -> tuple[int | None, Array]:
    """The one id that fills `input_ids` wherever `attention_mask` is 0, and where else it stands, [B, T]."""
    known = draft.choices.pad_id is not None or "pad_id" in draft
    if known or "attention_mask" not in draft or draft.shape("attention_mask") != draft.shape("inputs"):
        return None, np.zeros(0, bool)
    inputs, real = np.asarray(draft["inputs"]), np.asarray(draft["attention_mask"]) != 0
    fillers = np.unique(inputs[~real])
    if fillers.size != 1:
        return None, np.zeros(0, bool)
    return int(fillers[0]), real & (inputs == fillers[0])


def saying_ends(draft: Draft, unshifted: Draft) -> Draft:
    """Give the ends of sequences their labels back, with a weight of 0, where a collator took them for padding.

    With pad = eos it replaces both by −100. `attention_mask` tells them apart: it counts the ends. All of them have
    lost their labels, each padded sequence ends in one, and some label that counts comes before.

    Args:
        draft: after the shift.
        unshifted: before it.
    """
    filler, ends = _filler(unshifted)
    known = unshifted.choices.eos_id is not None or "eos_id" in unshifted
    labels = np.asarray(unshifted["targets"])
    if known or filler is None or labels.shape != ends.shape or draft.fields.get("ignore_id") != IGNORED:
        return draft
    if not ends.any() or (labels[ends] != IGNORED).any() or not _closes(unshifted, ends, labels):
        return draft
    targets = np.asarray(draft["targets"])
    weights = np.asarray(draft["weights"]) if "weights" in draft else (targets != IGNORED).astype(float)
    return draft.replacing(
        targets=np.where(ends[:, 1:], filler, targets), weights=weights, pad_id=filler, eos_id=filler
    ).assuming(
        f"the pad id {filler} is also the end of sequences, as attention_mask shows, and no end counts", "eos_id", "ID"
    )


def saying_last(draft: Draft, unshifted: Draft) -> Draft:
    """Take for the end of sequences the one token in which all padded sequences end, and which stands nowhere else.

    Args:
        draft: after the shift.
        unshifted: before it.
    """
    shape = unshifted.shape("attention_mask")
    known = unshifted.choices.eos_id is not None or "eos_id" in draft
    if known or len(shape) != 2 or unshifted.shape("inputs") != shape:
        return draft
    inputs, real = np.asarray(unshifted["inputs"]), np.asarray(unshifted["attention_mask"]) != 0
    padded = ~real.all(axis=1) & real.any(axis=1)
    last = real.shape[1] - 1 - real[:, ::-1].argmax(axis=1)
    tokens = np.unique(inputs[padded, last[padded]])
    if padded.sum() < FEWEST or tokens.size != 1:
        return draft
    ends = np.zeros(real.shape, bool)
    ends[np.arange(len(last)), last] = inputs[np.arange(len(last)), last] == tokens[0]
    if (real & (inputs == tokens[0]) & ~ends).any() or tokens[0] == draft.fields.get("pad_id"):
        return draft
    end = int(tokens[0])
    read = draft.replacing(eos_id=end).assuming(
        f"all padded sequences end in {end}, the end of sequences", "eos_id", "ID"
    )
    return _with_ends(read, np.asarray(unshifted["targets"]), ends & padded[:, None], end)


def _with_ends(draft: Draft, labels: Array, ends: Array, end: int) -> Draft:
    """The ends that all lost their labels to −100, with their labels back and a weight of 0."""
    lost = labels.shape == ends.shape and bool((labels[ends] == IGNORED).all())
    after = lost and bool((ends[:, 1:] & (labels[:, :-1] != IGNORED)).any(axis=1)[ends.any(axis=1)].all())
    if not after or draft.fields.get("ignore_id") != IGNORED:
        return draft
    targets = np.asarray(draft["targets"])
    weights = np.asarray(draft["weights"]) if "weights" in draft else (targets != IGNORED).astype(float)
    return draft.replacing(targets=np.where(ends[:, 1:], end, targets), weights=weights)


def _closes(draft: Draft, ends: Array, labels: Array) -> bool:
    """Whether every sequence that is padded ends in one of the ends, after a label that counts."""
    real = np.asarray(draft["attention_mask"]) != 0
    padded = ~real.all(axis=1) & real.any(axis=1)
    last = real.shape[1] - 1 - real[:, ::-1].argmax(axis=1)
    after_a_label = (ends[:, 1:] & (labels[:, :-1] != IGNORED)).any(axis=1)
    return bool((ends[np.arange(len(ends)), last] & after_a_label)[padded].all())


def saying_attention(draft: Draft, pad: int | None = None, *, is_tagger: bool = False) -> Draft:
    """Say that `attention_mask` weighs nothing; where labels are silent, it tells the padding that the loss counts.

    A printed number tells whether it does: the mean of what the mask leaves, or, of a tagger, any but the mean of all.
    """
    if "attention_mask" not in draft:
        return draft
    shows = "" if pad is None else f" (it shows that the pad id is {pad})"
    read = draft.assuming(f"attention_mask is of the inputs and weighs nothing{shows}", "weights", "attention_mask")
    read = read if pad is None else read.replacing(pad_id=pad)
    if draft.shape("attention_mask") != draft.shape("targets") or {"weights", "lengths", "ignore_id"} & {*draft.fields}:
        return read
    real = np.asarray(draft["attention_mask"]) != 0
    others = is_tagger and draft.reported is not None and not prints_mean(read, np.ones_like(real))
    if not real.all() and (others or prints_mean(read, real)):
        shown = "the printed number is no mean of all" if others else "the printed number shows"
        said = f"attention_mask says which timesteps count, as {shown}"
        fillers = np.unique(np.asarray(read["targets"])[~real])
        filler = int(fillers[0]) if fillers.size == 1 and pad is None and "pad_id" not in draft else pad
        return draft.replacing(weights=real.astype(float), pad_id=filler).assuming(said, "weights", "none")
    return _counting_padding(read, real)


def _counting_padding(draft: Draft, real: Array) -> Draft:
    """Weights of 1 everywhere, as the loss has them, and the lengths that the padding leaves."""
    lengths = real.sum(axis=1)
    if real.all() or not (real == (np.arange(real.shape[1]) < lengths[:, None])).all():
        return draft
    padding = int((~real).sum())
    return draft.replacing(weights=np.ones(real.shape), lengths=lengths).assuming(
        f"no label is −100, so the {padding:,} timesteps of padding by attention_mask count too", "weights", "none"
    )
