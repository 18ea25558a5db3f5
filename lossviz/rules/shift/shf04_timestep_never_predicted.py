"""The first or the last timestep was never predicted: its logits are all equal in every sequence.

## What it checks
Whether, in every sequence that counts at the first timestep, or at the last, all its logits are within 1e-6 of each
other, while those of other timesteps differ.

## Why it matters
The output buffer was created as zeros and filled from the second timestep on. Those timesteps always cost ln V, teach
nothing, and raise the mean.

## Example
Six classes: ln 6 = 1.7918 nats at timestep 0 of every sequence.

## How to fix
Remove that timestep from logits, targets and weights, or fill the buffer from the start.

## When it is a false alarm
An untrained model may give flat logits wherever its input is 0; it is not reported.

## Threads
pytorch-seq2seq#45, pytorch-seq2seq#46, pytorch-seq2seq#22, models#10354
"""

import numpy as np

from lossviz.fixes import CHANGE, WEIGHTS, both, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import many, trained_padding, with_counts
from lossviz.rules.shift._misalignment import check_trained

__all__ = ["RULE"]

Array = np.ndarray
ALIKE = 1e-6


def _check(case: Case) -> Found | None:
    if case.shape[1] < 2:
        raise CannotTell("There is only one timestep.")
    cells = case.nothing.copy()
    for t in (0, case.shape[1] - 1):
        cells[:, t] = _never_predicted(case, t)
    if not cells.any():
        return None
    check_trained(case)
    others = case.mask & ~cells
    if not others.any() or (case.analysis.entropy < case.uniform - 1e-3)[others].mean() < 0.5:
        return None
    return _found(case, cells)


def _never_predicted(case: Case, timestep: int) -> Array:
    """The sequences with a target at a timestep, if all of them have flat logits there; else none."""
    rows: Array = (case.mask & ~trained_padding(case))[:, timestep]
    # A flat row has entropy ln V: read only such rows.
    if not rows.any() or not (case.analysis.entropy[rows, timestep] > case.uniform - 1e-3).all():
        return np.zeros_like(rows)
    logits = case.logits[rows, timestep].astype(np.float64)
    return rows if (np.ptp(logits, axis=-1) < ALIKE).all() else np.zeros_like(rows)


def _found(case: Case, cells: Array) -> Found:
    columns = np.flatnonzero(cells.any(axis=0))
    first = columns[0] == 0
    named = "the first and the last timestep" if len(columns) == 2 else f"the {'first' if first else 'last'} timestep"
    cut = f"{1 if first else ''}:{-1 if columns[-1] else ''}"
    sliced = f"logits, targets, weights = logits[:, {cut}], targets[:, {cut}], weights[:, {cut}]"
    return Found(
        message=f"All logits of {named} are equal in {many(int(cells.any(axis=1).sum()), 'sequence')}, "
        f"a loss of ln {case.shape[2]} = {case.uniform:.4f} nats: nothing was predicted there.",
        cells=cells,
        evidence={"timesteps": int(cells.sum()), "ln V": case.uniform},
        fix=written([WEIGHTS, both(sliced, CHANGE)], case.analysis),
        repaired=lambda: with_counts(case, case.mask & ~cells),
    )


RULE = Rule(
    code="SHF04", name="timestep-never-predicted", severity="error", doc=__doc__ or "", check=_check, needs=("logits",)
)
"""Every timestep that counts was predicted."""
