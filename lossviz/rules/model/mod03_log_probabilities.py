"""The logits are already log-probabilities.

## What it checks
Whether the log-sum-exp of the logits is 0, within 1e-4, at every timestep that counts.

## Why it matters
The cross entropy is the same, because a second log-softmax changes nothing. But a z-loss is always 0 and has no
effect.

## Example
The log-softmax of [2, 0] is [−0.127, −2.127]; for the first class, both give a loss of 0.127 nats.

## How to fix
Remove the log-softmax from the model, or keep it and use the negative log likelihood.

## When it is a false alarm
If the logits were normalized when they were saved, or the example was made by hand. The rule assumes the latter if
float64 logits are exact to 1e-9.

## Threads
Co-teaching#4, MobileNetV2-pytorch#5, hw2vec#23
"""

import numpy as np

from lossviz.fixes import both, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule

__all__ = ["RULE"]


def _check(case: Case) -> Found | None:
    if case.shape[2] < 2:
        raise CannotTell("There is only one class, and its probability is always 1.")
    cells = case.mask & np.isfinite(case.analysis.logsumexp)
    if not cells.any():
        return None
    largest = float(np.abs(case.analysis.logsumexp[cells]).max())
    by_hand = case.logits.dtype == np.float64 and largest < 1e-9
    if largest >= 1e-4 or by_hand:
        return None
    return Found(
        message=f"The logits are log-probabilities: their log-sum-exp is 0 within {largest:.1g} at all "
        f"{int(cells.sum()):,} timesteps that count. The loss is correct, but a z-loss would be 0.",
        cells=cells,
        evidence={"timesteps": int(cells.sum()), "largest |log-sum-exp|": largest},
        fix=written([both("logits = head(hidden)  # no log_softmax after it")], case.analysis),
        loss_if_fixed=float(case.analysis.value) if case.analysis.is_scalar else None,
    )


RULE = Rule(code="MOD03", name="log-probabilities", severity="info", doc=__doc__ or "", check=_check, needs=("logits",))
"""The logits are not normalized."""
