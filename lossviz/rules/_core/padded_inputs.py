"""Padding that the inputs of a tagger show: its labels are no tokens, so one of them may have the pad id's number."""

import numpy as np

from lossviz.caching import cached
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_ids import declared_ignore, eos_of

__all__ = ["padding_that_counts", "reads_its_targets", "real_by_inputs"]

Array = np.ndarray


@cached
def padding_that_counts(case: Case) -> Array:
    """The runs of pad ids at either end of a tagger's inputs, [B, T], where all of them count; else nowhere.

    The labels there must all have one class, as padding has.
    """
    inputs, pad = case.batch.inputs, case.batch.pad_id
    if inputs is None or pad is None:
        return case.nothing
    reads_pad = inputs == pad
    runs = np.logical_and.accumulate(reads_pad, axis=1)
    runs |= np.logical_and.accumulate(reads_pad[:, ::-1], axis=1)[:, ::-1]
    few = int(runs.sum()) < 2 or runs.all(axis=1).any() or np.unique(case.targets[runs]).size > 1
    if few or not case.mask[runs].all() or reads_its_targets(case, inputs, ~runs):
        return case.nothing
    return runs


@cached
def real_by_inputs(case: Case) -> Array:
    """Where a pad id is a real label because a tagger (not a language model) reads a real token there."""
    inputs, pad = case.batch.inputs, case.batch.pad_id
    if inputs is None or pad is None or not (inputs == pad).any():
        return case.nothing
    real: Array = inputs != pad
    return case.nothing if (case.mask & ~real).any() or reads_its_targets(case, inputs, ~case.is_pad) else real


def reads_its_targets(case: Case, inputs: Array, among: Array) -> bool:
    """Whether at least half of the targets are the inputs at one fixed lag: the same tokens, shifted."""
    labels = among & ~np.isin(case.targets, declared_ignore(case)) & (case.targets != eos_of(case))
    labels &= case.analysis.is_class
    lags = (-1, 0, 1, 2)
    return not labels.any() or any(_read_at(case.targets, inputs, labels, lag) >= 0.5 for lag in lags)


def _read_at(targets: Array, inputs: Array, labels: Array, lag: int) -> float:
    """The share of the labels that equal the input `lag` timesteps later; 0 if there are none."""
    timesteps = targets.shape[1]
    now, then = slice(max(-lag, 0), timesteps - max(lag, 0)), slice(max(lag, 0), timesteps + min(lag, 0))
    same = (targets[:, now] == inputs[:, then])[labels[:, now]]
    return float(same.mean()) if same.size else 0.0
