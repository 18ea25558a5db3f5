"""Labels that are whole numbers of a float type, as Keras' pipelines cast them.

They become integers, −100 and −1 among them. Targets with a fraction are a regression's, and are refused.

- `--layout plain` refuses labels that are not integers.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]


def read(draft: Draft) -> Draft | None:
    """Make integers of them."""
    if len(draft.shape("targets")) not in (1, 2):
        return None
    targets = np.asarray(draft["targets"])
    if targets.dtype.kind not in "fV" or not targets.size:
        return None
    values = targets.astype(np.float64)
    if not np.isfinite(values).all() or (values != np.trunc(values)).any() or np.abs(values).max() >= 2**53:
        return None
    called = draft.called("targets")
    kind = targets.dtype.name if targets.dtype.kind == "f" else "bfloat16"
    return draft.replacing(targets=values.astype(np.int64)).assuming(
        f"{called} are whole numbers of {kind}, read as integers", "layout"
    )


LAYOUT = Layout(
    "whole-numbers", "Whole-number labels", __doc__ or "", "targets [B, T] of a float type without fractions", read
)
