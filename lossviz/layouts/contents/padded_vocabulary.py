"""Fewer names than classes: the logits have more columns than the vocabulary has tokens, usually up to a round number.

The columns without a name are called `<unused 100>` and so on. How many of them are ever a target, and what they cost,
is said: −ln(1 − p) for the probability p that they get together, on average.

- Slice the logits, `logits[..., :100]`, and the columns cost nothing; the loss is then another one.
"""

import numpy as np

from lossviz.layouts._draft import Draft, Layout
from lossviz.layouts._fit import sampled

__all__ = ["LAYOUT"]


def read(draft: Draft) -> Draft | None:
    """Name the columns that have none."""
    if "vocabulary" not in draft or "targets" not in draft or len(draft.shape("logits")) != 3:
        return None
    names, classes = draft["vocabulary"], draft.shape("logits")[2]
    names = [str(name) for name in (names.tolist() if isinstance(names, np.ndarray) else names)]
    if not 0 < len(names) < classes:
        return None
    read = draft.replacing(vocabulary=[*names, *(f"<unused {column}>" for column in range(len(names), classes))])
    return read.assuming(_said(draft, len(names), classes), "layout")


def _said(draft: Draft, known: int, classes: int) -> str:
    several = classes - known > 1
    which = f"columns {known} to {classes - 1} have no name" if several else f"column {known} has no name"
    targets = np.asarray(draft["targets"])
    used = int(((targets >= known) & (targets < classes)).sum())
    if used:
        return f"{which}, although {used} targets lie there"
    never = f"{which} and {'are' if several else 'is'} never a target"
    return f"{never}: padding of the vocabulary, which costs {_cost(draft, known):.4f} nats a timestep"


def _cost(draft: Draft, known: int) -> float:
    """The mean of −ln(1 − p) over targets that are classes, p the probability of the columns without a name."""
    logits, targets = draft["logits"], np.asarray(draft["targets"])
    if targets.shape != logits.shape[:2]:
        return float("nan")
    rows, columns = np.nonzero((targets >= 0) & (targets < logits.shape[2]))
    chosen = sampled(len(rows), logits.shape[2])
    if not len(chosen):
        return float("nan")
    scores = np.asarray(logits[rows[chosen], columns[chosen]]).astype(np.float64)
    return float(np.mean(_logsumexp(scores) - _logsumexp(scores[:, :known])))


def _logsumexp(scores: np.ndarray) -> np.ndarray:
    top = scores.max(axis=-1, keepdims=True)
    total: np.ndarray = np.log(np.exp(scores - top).sum(axis=-1)) + top[:, 0]
    return total


LAYOUT = Layout("padded-vocabulary", "Padded vocabulary", __doc__ or "", "fewer names than columns", read)
