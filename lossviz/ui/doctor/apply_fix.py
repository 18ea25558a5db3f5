"""Apply what a rule repairs to the batch on screen, and take it back."""

from functools import partial

import numpy as np

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.masking import resolve_mask
from lossviz.rules import Finding
from lossviz.ui.session.repair import Repair, apply_steps, repair_of
from lossviz.ui.session.source import Source
from lossviz.ui.session.state import State, read_widget
from lossviz.ui.shared.edit_history import change_steps
from lossviz.ui.shared.settings_panel import DECLARED

__all__ = ["apply_repair", "number_now", "repaired_cells", "undo_repair"]

CHANGED = "The batch has changed since this fix was worked out, so it was not applied. Press the button again."


def apply_repair(state: State, source: Source, analysis: Analysis, finding: Finding) -> None:
    """Make the repaired batch current, as a step that can be undone; a callback."""
    batch, repaired = source.current, finding.repaired
    if repaired is None:
        return
    if batch is not analysis.batch:  # a repair is whole arrays: it would take back what was edited since
        state.refusal = CHANGED
        return
    if finding.effect != 0 and repaired.reported is not None:
        repaired = repaired.replace(reported=None)  # the loop printed it before it was repaired
    chosen = read_widget("mask", DECLARED)
    # Where the weights are the repair, another mask chosen in the sidebar would hide it.
    hidden = chosen != DECLARED and not _keeps_weights(batch, repaired)
    repair = repair_of(finding.code, batch, repaired, before=number_now(analysis), mask=chosen if hidden else None)
    state.refusal = ""
    change_steps(state, source, lambda source: source.repair(repair))


def undo_repair(state: State, source: Source, repair: Repair) -> None:
    """Take a repair back, with every edit made since; a callback."""
    change_steps(state, source, partial(_undo, repair=repair))


def number_now(analysis: Analysis) -> str:
    """The number on screen, as text."""
    return number_text(float(analysis.value)) if analysis.is_scalar else "no single number"


def repaired_cells(source: Source) -> np.ndarray:
    """Where the last repair changed a target, an input, logits, or whether a timestep counts, [B, T] bool."""
    last = max((place for place, step in enumerate(source.steps) if step in source.repairs), default=0)
    before, after = apply_steps(source.batch, source.steps[:last]), source.base
    cells = np.zeros(after.targets.shape, bool)
    if before.shape != after.shape:
        return cells
    cells |= (before.targets != after.targets) | (
        resolve_mask(before, None).weights != resolve_mask(after, None).weights
    )
    if before.inputs is not None and after.inputs is not None:
        cells |= before.inputs != after.inputs
    if before.logits is not after.logits:
        cells |= ((before.logits != after.logits) & ~(np.isnan(before.logits) & np.isnan(after.logits))).any(axis=2)
    return cells


def _undo(source: Source, repair: Repair) -> None:
    while repair in source.steps:
        source.undo()


def _keeps_weights(batch: Batch, repaired: Batch) -> bool:
    if repaired.weights is None:
        return True
    return batch.weights is not None and np.array_equal(batch.weights, repaired.weights)
