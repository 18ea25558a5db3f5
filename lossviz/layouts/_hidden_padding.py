"""What Hugging Face leaves out of the loss without saying so in the file, and what it does not leave out."""

import numpy as np

from lossviz.layouts._alignment import IGNORED
from lossviz.layouts._draft import Draft

__all__ = ["ignoring", "saying_attention"]

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


def saying_attention(draft: Draft) -> Draft:
    """Say that `attention_mask` weighs nothing; where labels are silent, it tells the padding that the loss counts."""
    if "attention_mask" not in draft:
        return draft
    read = draft.assuming("attention_mask is of the inputs and weighs nothing", "weights", "attention_mask")
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
