"""One logit a timestep, with a label of every timestep: targets of zeros and ones that vary within a row.

σ(z) is the softmax of (0, z), so the logits become [B, T, 2]: the same losses, exactly, with a mask over all timesteps.
Where the targets of every row are all equal, one logit is read as a classifier's: the label is the sequence's, and its
last real timestep counts.

- `--reduction classification` reads the label as the sequence's, `--reduction mean` as every timestep's.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.contents import probabilities

__all__ = ["LAYOUT", "two_classes"]

Array = np.ndarray


def two_classes(logits: Array) -> Array:
    """One logit z as the logits (0, z) of two classes, [..., 1] to [..., 2].

    >>> two_classes(np.array([[[3.0]]])).tolist()
    [[[0.0, 3.0]]]
    """
    return np.concatenate([np.zeros_like(logits), logits], axis=-1)


def read(draft: Draft) -> Draft | None:
    """Make two classes of one logit whose label is that of the timestep."""
    if draft.shape("logits") == draft.shape("targets") and len(draft.shape("logits")) == 2:
        draft = draft.replacing(logits=draft["logits"][..., None])
        draft = probabilities.LAYOUT.read(draft) or draft  # these have had no axis of classes until now
    if draft.shape("logits")[2:] != (1,) or not _are_labels(draft):
        return None
    if not _is_every_timestep(draft):
        return None
    read = draft.replacing(
        logits=two_classes(np.asarray(draft["logits"])),
        targets=np.asarray(draft["targets"]).astype(np.int64),
        vocabulary=draft.fields.get("vocabulary") if len(draft.fields.get("vocabulary", ())) == 2 else None,
    )
    return read.assuming(
        "one logit a timestep is the sigmoid of that timestep's own label, since targets vary within rows"
        if draft.choices.reduction is None
        else "one logit a timestep is the sigmoid of that timestep's own label",
        "reduction",
        "classification",
    )


def _are_labels(draft: Draft) -> bool:
    targets = np.asarray(draft["targets"]) if "targets" in draft else np.zeros(0)
    whole = targets[targets >= 0] if targets.dtype.kind in "biuf" else targets
    return bool(targets.ndim == 2 and np.isin(whole, (0, 1)).all())


def _is_every_timestep(draft: Draft) -> bool:
    """What the caller says, else whether the real targets of a row differ; padding at its end shows nothing."""
    if draft.choices.reduction is not None:
        return draft.choices.reduction != "classification"
    if draft.choices.forces("every-timestep"):
        return True
    targets = np.asarray(draft["targets"])
    real = _real(draft, targets)
    high = np.where(real, targets, 0).max(axis=1, initial=0)
    low = np.where(real, targets, 1).min(axis=1, initial=1)
    return bool((high > low).any())


def _real(draft: Draft, targets: Array) -> Array:
    """The timesteps up to each sequence's end, as the lengths, the weights or the inputs say."""
    if "lengths" in draft:
        return np.asarray(np.arange(targets.shape[1]) < np.asarray(draft["lengths"])[:, None])
    real: Array = targets >= 0
    return real


LAYOUT = Layout(
    "every-timestep", "A sigmoid of every timestep", __doc__ or "", "one logit a timestep, labels 0 and 1", read
)
