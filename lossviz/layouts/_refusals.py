"""Losses that lossviz does not cover, each said in one sentence, and files without logits or targets."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from lossviz.errors import InputError, NamesError
from lossviz.layouts._draft import Draft, shape_of
from lossviz.layouts.contents.one_hot import SOFT

__all__ = ["refuse_uncovered"]

REGRESSION = (
    "The targets are fractional numbers, as in a regression: lossviz covers cross entropy, whose targets are class ids."
)


def refuse_uncovered(draft: Draft) -> None:
    """Refuse what can't become a Batch, with the sentence that says why.

    Raises:
        NamesError: if there are no logits, or no targets.
        InputError: if the targets are not class ids.
    """
    held = next((name for name in ("logits", "losses", "log_probs") if name in draft), "logits")
    missing = [name for name in (held, "targets") if name not in draft]
    if missing:
        raise NamesError(_not_found(draft.fields, missing), draft.fields)
    targets = np.asarray(draft["targets"])
    if targets.dtype.kind not in "fV" or not targets.size:
        return
    values = targets.astype(np.float64)
    if draft.shape("targets") == draft.shape("logits") and draft.shape("logits")[-1:] != (1,) and (values >= 0).all():
        raise InputError(SOFT)
    if not (values == np.trunc(values)).all():
        raise InputError(REGRESSION)


def _not_found(fields: Mapping[str, Any], missing: list[str]) -> str:
    held = ", ".join(f"`{name}` {shape_of(value)}" for name, value in fields.items()) or "no arrays"
    wanted = " and ".join(f"`{name}`" for name in missing)
    return f"The file holds {held}; looked for {wanted}. Pass `names=` to say which is which."
