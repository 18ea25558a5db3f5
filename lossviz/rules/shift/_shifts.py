"""How many timesteps the targets are shifted against the inputs, and the batch with targets moved."""

import numpy as np

from lossviz.batch import Batch
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell
from lossviz.rules.shift._misalignment import best_fit
from lossviz.rules.shift._permuted_losses import mean_of, slices

__all__ = ["agreement", "fitting_lag", "is_printed", "moved"]

Array = np.ndarray


def agreement(case: Case, lag: int) -> tuple[float, int]:
    """The share of targets that equal the input `lag` timesteps later, and the number of timesteps compared.

    >>> from lossviz import analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 9)), targets=[[5, 6, 7]], inputs=[[4, 5, 6]])
    >>> agreement(Case(analyze(batch)), 1), agreement(Case(analyze(batch)), 0)
    ((1.0, 2), (0.0, 3))
    """
    if case.batch.inputs is None:
        return 0.0, 0
    here, there = slices(lag, case.shape[1])
    read = case.batch.inputs[:, there]
    both = case.mask[:, here] & case.mask[:, there] & (read != case.batch.pad_id)
    count = int(both.sum())
    return (float((case.targets[:, here] == read)[both].mean()) if count else 0.0), count


def fitting_lag(case: Case) -> int | None:
    """How many timesteps later the fitting targets are: 0 as given; None if the logits can't tell."""
    try:
        fit = best_fit(case)
    except CannotTell:
        return None
    if fit is not None:
        return fit.lag if fit.kind == "lag" else None
    losses = case.loss[case.mask & case.in_range]
    return 0 if mean_of(losses) <= 0.8 * case.uniform else None


def is_printed(case: Case, value: float) -> bool:
    """Whether the reported number is this one rather than the number of the batch as given."""
    if case.batch.reported is None or not case.analysis.is_scalar:
        return False
    printed = float(case.batch.reported)
    near, far = abs(printed - value), abs(printed - float(case.analysis.value))
    return near <= 1e-3 * max(1.0, abs(value)) < far


def moved(case: Case, lag: int, inputs: Array | None = None) -> Batch:
    """The batch with its targets, and their weights, taken from `lag` timesteps later.

    Targets from before the start of the batch come from `inputs` if given; otherwise those timesteps don't count.
    """
    batch, here = case.batch, slices(lag, case.shape[1])
    targets = np.full_like(case.targets, _fill(batch))
    weights = np.zeros_like(case.analysis.weights)
    targets[:, here[0]] = case.targets[:, here[1]]
    weights[:, here[0]] = case.analysis.weights[:, here[1]]
    if lag < 0 and inputs is not None and case.shape[1] > -lag:
        targets[:, :-lag] = inputs[:, 1 : 1 - lag]
        weights[:, :-lag] = case.analysis.weights[:, :1]
    return _counting(case, batch.replace(targets=targets), weights)


def _counting(case: Case, batch: Batch, weights: Array) -> Batch:
    ends = (weights != 0).sum(axis=1)
    prefix = np.arange(case.shape[1]) < ends[:, None]
    if case.analysis.mask_name == "lengths" and np.array_equal(prefix, weights != 0):
        return batch.replace(lengths=ends)
    return batch.replace(weights=weights, lengths=None)


def _fill(batch: Batch) -> int:
    if batch.ignore_id is not None:
        return batch.ignore_id
    return 0 if batch.pad_id is None else batch.pad_id
