"""Whether the logits fit the targets of another timestep, another layout or another sequence better than their own."""

from dataclasses import dataclass
from math import lgamma, log

import numpy as np

from lossviz.caching import cached
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell
from lossviz.rules.shift._assignment import assign
from lossviz.rules.shift._evidence import evidence, most_evidence
from lossviz.rules.shift._permuted_losses import (
    MAX_LOSS,
    clipped,
    lag_losses,
    later,
    losses_in,
    mean_of,
    row_losses,
    time_major_losses,
)

__all__ = ["LAGS", "Fit", "best_fit", "check_trained"]

Array = np.ndarray
LAGS = (-2, -1, 1, 2)
ODDS = log(50)
"""Nats of `evidence` that a fit must have: of logits that meet other targets by chance 1 in 50 batches does."""
BEYOND_DOUBT = 4 * ODDS
"""The same where the loss in the other place is near ln V or above, as that of a model too sure of itself."""
LOUD, SHARED, CLEAR = 0.8, 0.3, 0.25
"""Parts of ln V that the loss as given must exceed; from the second on, the part of it that may be left elsewhere."""
FEW, AGAIN = 4, 2.5
"""Sequences, above which an order found in half of the timesteps must gain so many standard errors in the others."""
LEAST = 0.85
"""The part of the loss that may be left in another order, where the logits know it."""
GAIN, APART = 0.5, 0.25
"""Nats by which another timestep must beat the given one, and every other."""
CERTAIN = 0.1
"""The part of the loss that is left where the model is all but certain: there ln V itself is what it must beat."""
TYPICAL = 0.4
"""Nats that the median timestep gains: a few very large losses that another place does not meet say nothing."""
SURE, VERY_SURE = 1.6, 6.0
"""Standard errors by which the mean gains; with so many, the median need not."""
ENOUGH = 1 << 20
"""Timesteps that say which lag fits: of larger batches a part of the sequences is looked at."""
MANY = 1 << 24
"""Losses [B, B, T] that are compared to find the order of the sequences: of larger batches a part of the timesteps."""
MOST_ROWS = 2048
"""Sequences above which their order is not looked for."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A place where the logits fit better.

    Attributes:
        kind: "lag", "time-major" or "rows".
        before: mean loss of the timesteps that count, as given; `after`: in the other place.
        cells: [B, T] bool, the timesteps compared.
        lag: the timesteps by which the fitting targets lie later; 0 for other kinds.
        order: [B], whose logits each sequence of targets should have; None for other kinds.
        knows: whether the logits know these targets so much better that the loss as given does not matter.
    """

    kind: str
    before: float
    after: float
    cells: Array
    lag: int = 0
    order: Array | None = None
    knows: bool = False


@cached
def best_fit(case: Case) -> Fit | None:
    """The place that fits best, if it fits much better than the place given (SHF-06, SHF-08, SHF-10).

    The gain must be sure in the mean of paired differences, and the logits must know the targets of the other place
    better than their average does (`evidence`), while the loss as given lies above 0.8 ln V, or they know nothing of
    the targets given. Where sequences share much, as dates do, the loss as given is lower: above 0.3 ln V a quarter of
    it in the other place says as much, and so does another order that the logits know better than the one given.

    Raises:
        CannotTell: if nothing counts, there is one class, or the model guesses among all classes alike.

    >>> from lossviz import Batch, analyze
    >>> logits = 9 * np.eye(6)[[[1, 2, 3, 4]]]
    >>> fit = best_fit(Case(analyze(Batch.from_arrays(logits=logits, targets=[[5, 1, 2, 3]]))))
    >>> fit.kind, fit.lag
    ('lag', 1)
    """
    before = _given(case)
    check_trained(case)
    if mean_of(before) <= SHARED * case.uniform:
        return None
    fits = [*_lags(case, before), *_time_major(case, before), *_rows(case, before)]
    loud = bool(fits) and (mean_of(before) > LOUD * case.uniform or evidence(case, before, case.targets) <= 0)
    clear = [fit for fit in fits if loud or fit.knows or fit.after < CLEAR * fit.before]
    return min(clear, key=lambda fit: fit.after, default=None)


def _given(case: Case) -> Array:
    return clipped(np.where(case.counts & case.in_range, case.loss, np.nan))


def check_trained(case: Case) -> None:
    """Raises `CannotTell` where the losses say nothing: none counts, one class, or a guess among all classes alike."""
    if case.shape[2] < 2:
        raise CannotTell("There is one class, so that every loss is 0.")
    known = ~np.isnan(_given(case))
    if not known.any():
        raise CannotTell("No timestep that counts has a loss.")
    uniform = case.uniform
    if case.is_untrained and case.analysis.entropy[known].mean() > 0.95 * uniform:
        raise CannotTell(
            f"The losses are near ln V = {uniform:.4g} nats, those of a guess: "
            "an untrained model says nothing about its targets."
        )


def _lags(case: Case, before: Array) -> list[Fit]:
    every = max(1, -(-case.counts.size // ENOUGH))
    whole, before = before, before[::every]
    losses = {lag: clipped(lag_losses(case, lag, every)) for lag in LAGS}
    means = {lag: mean_of(after) for lag, after in losses.items() if not np.isnan(after).all()}
    if not means:
        return []
    lag = min(means, key=lambda lag: means[lag])
    after, others = losses[lag], [mean for other, mean in means.items() if other != lag]
    # Data that repeats itself fits in several places, and says nothing.
    if mean_of(before - after) <= GAIN or min((mean - means[lag] for mean in others), default=GAIN) <= APART:
        return []
    if not _is_sure(case, before, after, later(case, lag, every)):
        return []
    after = after if every == 1 else clipped(lag_losses(case, lag))
    return [Fit("lag", mean_of(whole), mean_of(after), ~np.isnan(after), lag=lag)]


def _time_major(case: Case, before: Array) -> list[Fit]:
    if 1 in case.shape[:2]:
        return []
    after = clipped(time_major_losses(case))
    if mean_of(after) < 0.7 * mean_of(before) and _is_sure(case, before, after, case.targets):
        return [Fit("time-major", mean_of(before), mean_of(after), case.counts.copy())]
    return []


def _rows(case: Case, before: Array) -> list[Fit]:
    sequences = case.shape[0]
    if not 1 < sequences <= MOST_ROWS or _no_order_proves_itself(case):
        return []
    some = _some_timesteps(case)
    order = assign(row_losses(case, some))
    moved = order != np.arange(sequences)
    if not moved.any():
        return []
    after = np.where(case.counts, clipped(losses_in(case, order)), np.nan)
    whole = mean_of(before), mean_of(after)
    if whole[1] >= LEAST * whole[0] or not _is_order_elsewhere(case, before, some):
        return []
    cells = case.counts & moved[:, None] & (before < MAX_LOSS)  # a class that is ruled out is no matter of order
    before, after = np.where(cells, before, np.nan), np.where(cells, after, np.nan)
    knows = _knows_better(case, before, after)
    if knows or (whole[1] < 0.7 * whole[0] and _is_sure(case, before, after, case.targets, lgamma(sequences + 1))):
        return [Fit("rows", *whole, case.counts & moved[:, None], order=order, knows=knows)]
    return []


def _no_order_proves_itself(case: Case) -> bool:
    """Whether even the best of B! orders would cost as much as chance may give, so that none need be looked for.

    One timestep of two classes is worth ln 2 nats at most, and the order of 2,048 sequences costs 6.6 nats for each.
    """
    needed = ODDS + lgamma(case.shape[0] + 1)
    return max(case.uniform * float(case.counts.sum()), most_evidence(case)) < needed


def _some_timesteps(case: Case) -> Array:
    """The timesteps whose losses are compared between all sequences: so few that there are at most `MANY`, [B, T]."""
    sequences, timesteps, _ = case.shape
    every = max(1, -(-sequences * sequences * timesteps // MANY))
    some: Array = case.counts & case.in_range & (np.arange(timesteps) % every == 0)
    return some


def _is_order_elsewhere(case: Case, before: Array, some: Array) -> bool:
    """Whether the best order of one half of the timesteps, found among B!, is better in the other half too."""
    if case.shape[0] <= FEW:  # not enough orders to find one by chance
        return True
    known = some & (before < MAX_LOSS)
    half = known.cumsum(axis=1) % 2 == 0
    gains = []
    for fitted in (known & half, known & ~half):
        order = assign(row_losses(case, fitted))
        cells = known & ~fitted & (order != np.arange(len(order)))[:, None]
        gains.append((before - clipped(losses_in(case, order)))[cells])
    gain = np.concatenate(gains)
    return bool(gain.size and gain.mean() > AGAIN * float(gain.std()) / float(np.sqrt(gain.size)))


def _knows_better(case: Case, before: Array, after: Array) -> bool:
    """Whether the logits know these targets in the other order, beyond what they know of them as given."""
    given, other = (max(0.0, evidence(case, losses, case.targets)) for losses in (before, after))
    return other - given >= ODDS + lgamma(case.shape[0] + 1)


def _is_sure(case: Case, before: Array, after: Array, targets: Array, extra: float = 0.0) -> bool:
    gains, known = before - after, after[~np.isnan(after)]
    gains = gains[~np.isnan(gains)]
    if not gains.size:
        return False
    error = float(gains.std()) / float(np.sqrt(gains.size))
    least = SURE if np.median(gains) > TYPICAL else VERY_SURE
    if not gains.mean() > least * error:
        return False
    if known.mean() < CERTAIN * mean_of(before) and (case.uniform - known).sum() >= ODDS + extra:
        return True
    needed = ODDS if known.mean() <= LOUD * case.uniform else BEYOND_DOUBT
    return evidence(case, after, targets) >= needed + extra
