"""The logits are probabilities: the cross entropy applies a second softmax.

## What it checks
Whether the logits are non-negative and sum to 1 at 99 % or more of the timesteps that count. If not, whether the
number that the training loop printed is the loss after a second softmax.

## Why it matters
Probabilities lie between 0 and 1, so the second softmax is nearly flat: the loss can't fall below ln(e + V − 1) − 1,
and the gradients are small.

## Example
The lowest possible loss is 0.7437 nats with four classes and 9.3735 with 32,000. The golden batch gives 1.5300 instead
of 1.2545.

## How to fix
Remove the softmax from the model, or tell the loss that it receives probabilities.

## When it is a false alarm
If probabilities were saved instead of logits on purpose. The repaired batch takes their logarithm.

## Threads
tensorflow_cookbook#86, tflearn PR#562, SciCo#2, CGES#1, Transformer-GCN-QA PR#32, Deep-Semantic-Similarity#2
"""

import math

import numpy as np

from lossviz.batch import Batch
from lossviz.fixes import LOSSES, MEAN, SOURCE, WEIGHTS, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule

__all__ = ["RULE", "floor"]

Array = np.ndarray
BLOCK = 1 << 22
"""The number of logits read at a time."""


def floor(classes: int) -> float:
    """The lowest possible loss after a softmax of probabilities, ln(e + V − 1) − 1, in nats.

    >>> round(floor(4), 4), round(floor(32000), 4)
    (0.7437, 9.3735)
    """
    return float(np.log(math.e + classes - 1) - 1)


def _check(case: Case) -> Found | None:
    classes = case.shape[2]
    if classes < 2:
        raise CannotTell("There is only one class, and its probability is always 1.")
    count = int(case.mask.sum())
    if not count or not _may_be(case):
        return None
    cells = case.nothing.copy()
    cells[case.mask] = _are_probabilities(case)
    if cells.sum() < 0.99 * count:
        return None
    return Found(
        message=f"At {cells.sum() / count:.0%} of the timesteps that count, the logits are probabilities that sum to "
        f"1: the loss can't fall below ln(e + {classes - 1:,}) − 1 = {floor(classes):.4f} nats.",
        cells=cells,
        evidence={
            "timesteps": int(cells.sum()),
            "least loss that is possible": floor(classes),
            "mean loss": float(case.counted_loss.mean()) if case.counted_loss.size else float("nan"),
        },
        fix=_fix(case),
        repaired=lambda: _logarithms(case.batch),
    )


def _fix(case: Case) -> dict[str, str]:
    classes = case.shape[2]
    head = Line(
        SOURCE,
        f"logits = head(hidden)  # head = tf.keras.layers.Dense({classes}), without softmax",
        f"logits = head(hidden)  # head = torch.nn.Linear(hidden.shape[-1], {classes}), without softmax",
        "logits = head(hidden)  # without jax.nn.softmax after it",
    )
    return written([head, WEIGHTS, LOSSES, MEAN], case.analysis)


def _may_be(case: Case) -> bool:
    """Whether Σ exp(p) is at most V − 1 + e, as for probabilities p; known without reading the logits."""
    known = case.analysis.logsumexp[case.mask]
    known = known[np.isfinite(known)]
    low, high = np.log(case.shape[2]) - 1e-2, np.log(case.shape[2] - 1 + math.e) + 1e-2
    return bool(known.size and ((known > low) & (known < high)).mean() >= 0.99)


def _are_probabilities(case: Case) -> Array:
    """Whether the logits are probabilities at each timestep that counts, [N] bool."""
    rows, columns = np.nonzero(case.mask)
    step = max(1, BLOCK // case.shape[2])
    slack = 1e-3 if case.logits.dtype.itemsize > 2 else 1e-2
    found = []
    for start in range(0, len(rows), step):
        here = slice(start, start + step)
        values = case.logits[rows[here], columns[here]].astype(np.float64)
        found.append((values.min(axis=-1) >= 0) & (np.abs(values.sum(axis=-1) - 1) < slack))
    whole: Array = np.concatenate(found)
    return whole


def _logarithms(batch: Batch) -> Batch:
    dtype = np.float32 if batch.logits.dtype.itemsize < 4 else batch.logits.dtype
    values = batch.logits.astype(dtype)
    return batch.replace(logits=np.log(np.maximum(values, np.finfo(dtype).tiny)))


RULE = Rule(
    code="MOD01",
    name="softmax-twice",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    checks_reported=True,
    needs=("logits",),
)
"""The logits are taken before the softmax."""
