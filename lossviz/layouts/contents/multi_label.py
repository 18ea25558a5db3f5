"""Several labels a timestep: logits [B, T, K] and targets [B, T, K] of zeros and ones, each label with its own sigmoid.

σ(z) is the softmax of (0, z), so every label becomes a timestep of two classes: logits [B, T·K, 2] and targets
[B, T·K], the K labels of a timestep side by side. The mean over the labels is then the mean over timesteps, and the
weight of a timestep is the weight of its K labels. A sum over labels divided by timesteps is K times that mean,
and `identify` knows it.
Probabilities are turned back into logits.

- `--layout one-hot` reads rows of one 1 as classes instead.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts.contents.every_timestep import two_classes
from lossviz.layouts.contents.probabilities import logits_of

__all__ = ["LAYOUT"]


def read(draft: Draft) -> Draft | None:
    """Put the labels of a timestep side by side."""
    logits = draft.shape("logits")
    if len(logits) != 3 or draft.shape("targets") != logits or logits[2] < 2:
        return None
    targets = np.asarray(draft["targets"])
    if not np.isin(targets, (0, 1)).all():
        return None
    sequences, timesteps, labels = logits
    scores = logits_of(np.asarray(draft["logits"]).reshape(sequences, timesteps * labels, 1))
    flat = two_classes(scores)
    weights = draft.fields.get("weights")
    lengths = draft.fields.get("lengths")
    read = draft.replacing(
        logits=flat,
        targets=targets.reshape(sequences, -1).astype(np.int64),
        weights=None if weights is None else _repeated(np.asarray(weights), labels, logits),
        lengths=None if lengths is None else np.asarray(lengths) * labels,
        inputs=None,
        segment_ids=None,
        vocabulary=["0", "1"],
        labels_per_timestep=labels,
    )
    return read.assuming(
        f"each timestep has {labels} labels with a sigmoid each, which stand side by side: {timesteps} × {labels} = "
        f"{timesteps * labels} timesteps of two classes",
        "layout",
    )


def _repeated(weights: np.ndarray, labels: int, shape: tuple[int, ...]) -> np.ndarray:
    """The weights of the labels, from those of the timesteps or their own."""
    if weights.shape == shape:
        return weights.reshape(shape[0], -1)
    return np.repeat(weights, labels, axis=1)


LAYOUT = Layout("multi-label", "Several labels a timestep", __doc__ or "", "targets [B, T, K] of zeros and ones", read)
