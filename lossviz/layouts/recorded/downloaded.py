"""The numbers of a batch that lossviz wrote as JSON: `timesteps` with `targets`, `batch_loss` and `weights`, and more.

Losses, weights, entropy and ranks are those that were downloaded; the logits are not among them. Tables in CSV and
Parquet hold the same, and need no layout.

- `--weights none` counts every timestep.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossviz.errors import InputError
from lossviz.layouts._draft import Draft, Layout

__all__ = ["LAYOUT"]

_FIELDS = {"targets": "targets", "weights": "weights", "losses": "batch_loss", "entropy": "entropy", "rank": "rank"}


def read(draft: Draft) -> Draft | None:
    """Take the arrays out of `timesteps`.

    Raises:
        InputError: if they are no numbers [B, T].
    """
    held = draft.fields.get("timesteps")
    if not isinstance(held, Mapping) or not {"targets", "batch_loss"} <= held.keys():
        return None
    arrays: dict[str, Any] = {name: _array(held[key], key) for name, key in _FIELDS.items() if key in held}
    arrays["targets"] = arrays["targets"].astype(np.int64)
    if draft.choices.weights == "none":
        arrays.pop("weights", None)
    shape = draft.fields.get("shape")
    if isinstance(shape, list | np.ndarray) and len(shape) == 3 and int(shape[2]) > 0:
        arrays["classes"] = int(shape[2])
    kept = {name: draft[name] for name in ("title", "reported") if name in draft}
    made = Draft(arrays | kept, draft.choices, draft.origin, draft.assumptions, draft.layouts)
    return made.assuming("the numbers of a batch that lossviz wrote, without its logits", "layout")


def _array(value: Any, key: str) -> Any:
    """Nested lists of numbers, and of "NaN" and "Infinity", which JSON has no numbers for."""
    try:
        array = np.asarray(value).astype(np.float64)
    except (ValueError, TypeError):
        array = np.zeros(0)
    if array.ndim != 2:
        raise InputError(
            f"`timesteps.{key}` must be rows of numbers [B, T], as lossviz writes them. Download it again."
        )
    return array


LAYOUT = Layout("downloaded", "Downloaded numbers", __doc__ or "", "`timesteps` with `targets` and `batch_loss`", read)
