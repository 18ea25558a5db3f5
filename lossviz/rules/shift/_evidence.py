"""Whether logits say anything about the targets they are compared with, beyond the frequency of each class."""

import numpy as np

from lossviz.rules._core.case import Case

__all__ = ["evidence", "most_evidence"]

Array = np.ndarray
TEMPERS = (1.0, 0.5, 0.25)
"""Powers of the probabilities; an overconfident model shows what it knows at the smaller ones."""
SAMPLE = 256
"""The number of timesteps over which logits are averaged."""
LOWEST = -100.0
"""Lower log-probabilities are clipped to this."""


def evidence(case: Case, losses: Array, targets: Array, among: Array | None = None) -> float:
    """Nats by which the logits predict these targets better than the batch's average prediction does.

    If logits and targets were paired by chance, p(y) / mean p(y), for any power of p, would be 1 on average, and its
    product over the timesteps would exceed 50 in at most 1 of 50 batches (Markov). So ln 50 nats or more mean that they
    belong together.

    Args:
        case: the batch that the logits come from.
        losses: the loss of some of the batch's logits against each target, [B, T]; NaN where there is none.
        targets: the classes, [B, T].
        among: the timesteps whose logits were compared, [B, T] bool; those that count if None. Elsewhere a model may
            be less sure of everything, which costs less where it is wrong and says nothing about the targets.

    >>> from lossviz import Batch, analyze
    >>> knows = Case(analyze(Batch.from_arrays(logits=9 * np.eye(4)[None], targets=[[0, 1, 2, 3]])))
    >>> round(evidence(knows, knows.loss, knows.targets), 2)  # 4 ln 4, minus ln 3 for three powers
    4.45
    """
    known = ~np.isnan(losses)
    among = case.mask if among is None else among
    return _bet(case, targets[known], np.maximum(-losses[known], LOWEST), among) if known.any() else 0.0


def most_evidence(case: Case) -> float:
    """The evidence if every timestep that counts had a loss of 0: the upper bound for any order of the targets."""
    labels = case.targets[case.mask & case.in_range]
    return _bet(case, labels, np.zeros(labels.size), case.mask) if labels.size else 0.0


def _bet(case: Case, labels: Array, own: Array, among: Array) -> float:
    """Log of the product of p(y) / mean p(y) for the best of three powers, minus ln 3 for choosing it."""
    times = np.bincount(labels)
    classes = np.flatnonzero(times)
    average, total = _sampled(case, classes, among), float(own.sum())
    sums = [power * total - float(times[classes] @ _mean(power * average)) for power in TEMPERS]
    return max(sums) - float(np.log(len(TEMPERS)))


def _sampled(case: Case, classes: Array, among: Array) -> Array:
    """Log-probabilities of some classes at timesteps sampled evenly among some, [n, classes]."""
    rows, timesteps = np.nonzero(among & np.isfinite(case.analysis.logsumexp))
    some = np.unique(np.linspace(0, len(rows) - 1, min(SAMPLE, len(rows))).astype(int))
    scores = case.logits[rows[some], timesteps[some]][:, classes].astype(np.float64)
    logs: Array = np.maximum(scores - case.analysis.logsumexp[rows[some], timesteps[some], None], LOWEST)
    return logs


def _mean(logs: Array) -> Array:
    """Log of the mean of the exponentials down each column."""
    top = logs.max(axis=0)
    mean: Array = top + np.log(np.exp(logs - top).mean(axis=0))
    return mean
