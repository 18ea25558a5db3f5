"""Labels of −100 or −1 that the file doesn't declare: PyTorch ignores the one, nanoGPT the other.

No class has such a number, so a loop that printed a number has left these timesteps out. A printed NaN shows that it
did not, and nothing is assumed then (PAD12); nor where lengths say what counts.

- `--ignore-id ID` says which label is ignored, `--layout plain` ignores none.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._hidden_padding import ignoring

__all__ = ["LAYOUT"]

USUAL = {-100: "−100 is ignored, as PyTorch does", -1: "−1 is ignored, as nanoGPT does"}


def read(draft: Draft) -> Draft | None:
    """Declare the one negative label to be ignored."""
    known = {"ignore_id", "lengths"} & {*draft.fields} or draft.choices.ignore_id is not None
    if known or len(draft.shape("targets")) != 2 or str(draft.reported) == "nan":
        return None
    targets = np.asarray(draft["targets"])
    negative = np.unique(targets[targets < 0]) if targets.dtype.kind == "i" else targets[:0]
    if negative.size != 1 or int(negative[0]) not in USUAL:
        return None
    ignored = int(negative[0])
    if "weights" in draft:
        weights = np.asarray(draft["weights"])
        if weights.shape != targets.shape or not (weights[targets == ignored] != 0).any():
            return None
    return ignoring(draft.replacing(ignore_id=ignored)).assuming(USUAL[ignored], "ignore_id", "ID")


LAYOUT = Layout("ignored-labels", "Ignored labels", __doc__ or "", "targets [B, T] with labels of −100 or −1", read)
