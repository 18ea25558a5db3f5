"""Targets and masks beside the wrong timestep, and when the arrays show it (spec/padding-bugs.md, 3)."""

import numpy as np

from lossviz import Batch
from tests.rules.pipeline_bug import short, truly_short, wanted
from tests.rules.pipelines import Step


def not_shifted(step: Step) -> None:
    step.inputs, step.targets = step.tokens[:, :-1], step.tokens[:, :-1]
    step.mask = step.truth = (step.wanted & step.real)[:, :-1]
    step.lengths = step.real[:, :-1].sum(axis=1)


def shifted_twice(step: Step) -> None:
    wanted(step.tokens.shape[1] > 3)
    step.inputs, step.targets = step.tokens[:, :-2], step.tokens[:, 2:]
    step.mask = step.truth = (step.wanted & step.real)[:, 2:]
    wanted(bool(step.mask.any(axis=1).all()))
    step.lengths = step.real[:, 2:].sum(axis=1)


def lag_shows(step: Step, lag: int) -> bool:
    """The targets of another timestep have half a nat less, which is more than noise."""
    width = step.targets.shape[1]
    here = slice(max(0, -lag), width - max(0, lag))
    there = slice(max(0, lag), width - max(0, -lag))
    both = step.truth[:, here] & step.truth[:, there]
    if both.sum() < 10:
        return False
    gain = step.losses()[:, here][both] - step.losses(step.logits[:, here], step.targets[:, there])[both]
    return bool(gain.mean() > max(0.5, 3 * gain.std() / np.sqrt(gain.size)))


def copies(step: Step, batch: Batch) -> bool:
    x, y, m = step.inputs, step.targets, step.truth
    if batch.inputs is None or m[:, :-1].sum() < 10:
        return False
    return (x == y)[m].mean() > 0.95 and (x[:, 1:] == y[:, :-1])[m[:, :-1]].mean() < 0.5


def skips(step: Step, batch: Batch) -> bool:
    x, y, m = step.inputs, step.targets, step.truth
    if batch.inputs is None or m[:, :-2].sum() < 10:
        return False
    return (x[:, 2:] == y[:, :-2])[m[:, :-2]].mean() > 0.95 and (x[:, 1:] == y[:, :-1])[m[:, :-1]].mean() < 0.5


def rolled(step: Step) -> None:
    step.inputs = np.roll(step.targets, 1, axis=1)


def wraps(step: Step, batch: Batch) -> bool:
    full = ~short(step)
    return batch.inputs is not None and batch.pad_id is not None and bool(full.any() and short(step).any())


def mask_of_inputs(step: Step) -> None:
    step.mask = (step.wanted & step.real)[:, :-1]
    step.mask_as = "weights"


def no_end(step: Step) -> None:
    """The tokenizer appends no EOS."""
    ended = step.real & (np.roll(step.real, -1, axis=1) == 0) & (step.tokens == step.task.ids.eos)
    step.tokens = np.where(ended, step.pad, step.tokens)
    step.real, step.wanted = step.real & ~ended, step.wanted & ~ended


def end_is_missed(step: Step, batch: Batch) -> bool:
    return batch.eos_id is not None and batch.pad_id is not None and int(truly_short(step).sum()) >= 3


def across_documents(step: Step) -> None:
    step.mask = np.ones_like(step.mask)
    step.mask_as = "weights"


def crosses(step: Step, batch: Batch) -> bool:
    """What the segments are of, inputs or targets, the inputs or the ends say."""
    said = batch.segment_ids is not None and (batch.inputs is not None or batch.eos_id is not None)
    return said and bool((step.mask != step.truth).any())
