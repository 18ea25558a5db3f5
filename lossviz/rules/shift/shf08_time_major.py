"""Logits [T, B, V] were reshaped to [B, T, V] instead of transposed: sequences and timesteps are mixed up.

## What it checks
Whether `logits.reshape(T, B, V).transpose(1, 0, 2)` has a loss more than 30 % lower than the logits as given, which
are about as bad as a uniform guess or worse. If not, whether the number that the training loop printed is the one such
a layout would give.

## Why it matters
The shapes fit, so nothing complains; every timestep is compared with the target of another one.

## Example
Mixed up this way, the golden batch gives 2.0832 nats instead of 1.2545.

## How to fix
Transpose before the reshape.

## When it is a false alarm
With one sequence or one timestep the two layouts are the same, and an untrained model tells nothing; neither is
reported.

## Threads
speechbrain#519, keras PR#18952
"""

import numpy as np

from lossviz.batch import Batch
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules.shift._misalignment import best_fit

__all__ = ["RULE"]

_FIX = {
    "TensorFlow": "logits = tf.transpose(logits, [1, 0, 2])  # [T, B, V] → [B, T, V]",
    "PyTorch": "logits = logits.transpose(0, 1)  # [T, B, V] → [B, T, V]; not .reshape or .view",
    "JAX": "logits = logits.transpose(1, 0, 2)  # [T, B, V] → [B, T, V]; not .reshape",
}


def _check(case: Case) -> Found | None:
    if 1 in case.shape[:2]:
        raise CannotTell("With one sequence or one timestep, both layouts are the same.")
    fit = best_fit(case)
    if fit is None or fit.kind != "time-major":
        return None
    return Found(
        message=f"Read with time first, the logits give a loss of {fit.after:.4g} nats instead of {fit.before:.4g}: "
        "they were reshaped instead of transposed.",
        cells=fit.cells,
        evidence={"mean loss": fit.before, "mean loss, time first": fit.after, "ln V": case.uniform},
        fix=_FIX,
        repaired=lambda: _undone(case.batch),
    )


def _undone(batch: Batch) -> Batch:
    sequences, timesteps, classes = batch.shape
    return batch.replace(
        logits=np.ascontiguousarray(batch.logits.reshape(timesteps, sequences, classes).transpose(1, 0, 2))
    )


RULE = Rule(
    code="SHF08",
    name="time-major",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="layout",
    checks_reported=True,
    needs=("logits",),
)
"""Logits and targets are laid out alike."""
