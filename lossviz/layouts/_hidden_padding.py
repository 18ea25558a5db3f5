"""What Hugging Face leaves out of the loss without saying so in the file, and what it does not leave out."""

import numpy as np

from lossviz.layouts._alignment import IGNORED
from lossviz.layouts._draft import Draft

__all__ = ["ignoring", "pad_id_of", "saying_attention"]

Array = np.ndarray


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
    known = draft.choices.pad_id is not None or "pad_id" in draft
    if known or "attention_mask" not in draft or draft.shape("attention_mask") != draft.shape("inputs"):
        return None
    inputs, real = np.asarray(draft["inputs"]), np.asarray(draft["attention_mask"]) != 0
    filler = np.unique(inputs[~real])
    return None if filler.size != 1 or (inputs[real] == filler[0]).any() else int(filler[0])


def saying_attention(draft: Draft, pad: int | None = None) -> Draft:
    """Say that `attention_mask` weighs nothing; where labels are silent, it tells the padding that the loss counts."""
    if "attention_mask" not in draft:
        return draft
    shows = "" if pad is None else f" (it shows that the pad id is {pad})"
    read = draft.assuming(f"attention_mask is of the inputs and weighs nothing{shows}", "weights", "attention_mask")
    read = read if pad is None else read.replacing(pad_id=pad)
    if draft.shape("attention_mask") != draft.shape("targets") or {"weights", "lengths", "ignore_id"} & {*draft.fields}:
        return read
    return _counting_padding(read, np.asarray(draft["attention_mask"]) != 0)


def _counting_padding(draft: Draft, real: Array) -> Draft:
    """Weights of 1 everywhere, as the loss has them, and the lengths that the padding leaves."""
    lengths = real.sum(axis=1)
    if real.all() or not (real == (np.arange(real.shape[1]) < lengths[:, None])).all():
        return draft
    padding = int((~real).sum())
    return draft.replacing(weights=np.ones(real.shape), lengths=lengths).assuming(
        f"no label is −100, so the {padding:,} timesteps of padding by attention_mask count too", "weights", "none"
    )
