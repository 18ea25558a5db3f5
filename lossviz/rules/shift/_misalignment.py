"""Whether the logits fit the targets of another timestep, layout or sequence better than their own."""

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
"""Nats of `evidence` that a fit must have; logits paired with targets by chance reach this in 1 of 50 batches."""
BEYOND_DOUBT = 4 * ODDS
"""The same if the loss at the other place is near ln V or above, as an overconfident model's is."""
SOME, NO_CHANCE = log(15), 3 * ODDS
"""Nats by which another order must beat the given one, and the same if it leaves the loss near ln V or above, as one
found by chance does."""
LOUD, SHARED, CLEAR = 0.8, 0.3, 0.25
"""The loss as given must exceed the first fraction of ln V, or the second if at most the third of it remains."""
FEW, AGAIN = 4, 2.5
"""Above so many sequences, an order fitted on half of the timesteps must gain so many standard errors on the rest."""
LEAST = 0.85
"""The share of the loss that may remain in another order that the logits support."""
GAIN, APART = 0.5, 0.25
"""Nats by which another timestep must beat the given one, and all other lags."""
CERTAIN = 0.1
"""Below this share of the loss the model is nearly certain; then it only has to beat ln V."""
TYPICAL = 0.4
"""Nats that the median timestep must gain, so that a few very large losses don't decide."""
SURE, VERY_SURE = 1.6, 6.0
"""Standard errors that the mean must gain; with the second, the median need not gain."""
ENOUGH = 1 << 20
"""Timesteps used to find the lag; larger batches are subsampled by sequence."""
MANY = 1 << 24
"""Losses [B, B, T] compared to find the order of the sequences; larger batches are subsampled by timestep."""
MOST_ROWS = 2048
"""Above this many sequences, no order is searched."""


@dataclass(frozen=True, eq=False)
class Fit:
    """A place where the logits fit better.

    Attributes:
        kind: "lag", "time-major" or "rows".
        before: mean loss of the timesteps that count, as given; `after`: at the other place.
        cells: [B, T] bool, the timesteps compared.
        lag: how many timesteps later the fitting targets are; 0 for other kinds.
        order: [B], the sequence whose logits belong to each sequence of targets; None for other kinds.
        knows: whether the logits predict these targets so much better that the loss as given does not matter.
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
    """The best-fitting place, if it fits much better than the given one (SHF-06, SHF-08, SHF-10).

    The mean of the paired differences must be significant, and the logits must predict the targets at the other place
    better than the batch's average prediction does (`evidence`). In addition, the loss as given must exceed 0.8 ln V,
    or the logits must say nothing about the given targets. If sequences have much in common, as dates do, the loss as
    given is lower: above 0.3 ln V it suffices that a quarter of it remains at the other place, or that the logits
    support another order more than the given one.

    Raises:
        CannotTell: if nothing counts, there is only one class, or the model guesses uniformly.

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
    return clipped(np.where(case.mask & case.in_range, case.loss, np.nan))


def check_trained(case: Case) -> None:
    """Raise `CannotTell` if the losses are uninformative: none counts, one class only, or a uniform guess."""
    if case.shape[2] < 2:
        raise CannotTell("There is only one class, so every loss is 0.")
    known = ~np.isnan(_given(case))
    if not known.any():
        raise CannotTell("No timestep that counts has a loss.")
    uniform = case.uniform
    if case.is_untrained and case.analysis.entropy[known].mean() > 0.95 * uniform:
        raise CannotTell(
            f"The losses are near ln V = {uniform:.4g} nats, the loss of a uniform guess: "
            "an untrained model says nothing about its targets."
        )


def _lags(case: Case, before: Array) -> list[Fit]:
    every = max(1, -(-case.mask.size // ENOUGH))
    whole, before = before, before[::every]
    losses = {lag: clipped(lag_losses(case, lag, every)) for lag in LAGS}
    means = {lag: mean_of(after) for lag, after in losses.items() if not np.isnan(after).all()}
    if not means:
        return []
    lag = min(means, key=lambda lag: means[lag])
    after, others = losses[lag], [mean for other, mean in means.items() if other != lag]
    # Repetitive data fits at several lags, which proves nothing.
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
    used = case.mask.T.reshape(case.mask.shape)
    if mean_of(after) < 0.7 * mean_of(before) and _is_sure(case, before, after, case.targets, used=used):
        return [Fit("time-major", mean_of(before), mean_of(after), case.mask.copy())]
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
    after = np.where(case.mask, clipped(losses_in(case, order)), np.nan)
    whole = mean_of(before), mean_of(after)
    if whole[1] >= LEAST * whole[0] or not _is_order_elsewhere(case, before, some):
        return []
    cells = case.mask & moved[:, None] & (before < MAX_LOSS)  # a masked class says nothing about the order
    before, after = np.where(cells, before, np.nan), np.where(cells, after, np.nan)
    used = case.mask[np.argsort(order)]  # the timesteps whose logits the targets that count meet
    knows = _knows_better(case, before, after, used)
    chance = lgamma(sequences + 1)
    if knows or (whole[1] < 0.7 * whole[0] and _is_sure(case, before, after, case.targets, chance, used)):
        return [Fit("rows", *whole, case.mask & moved[:, None], order=order, knows=knows)]
    return []


def _no_order_proves_itself(case: Case) -> bool:
    """Whether even the best of B! orders could be explained by chance, so that no search is needed.

    One timestep of two classes is worth at most ln 2 nats, and the order of 2,048 sequences costs 6.6 nats for each.
    """
    needed = ODDS + lgamma(case.shape[0] + 1)
    return max(case.uniform * float(case.mask.sum()), most_evidence(case)) < needed


def _some_timesteps(case: Case) -> Array:
    """The timesteps at which all pairs of sequences are compared, [B, T]: at most `MANY` losses."""
    sequences, timesteps, _ = case.shape
    every = max(1, -(-sequences * sequences * timesteps // MANY))
    some: Array = case.mask & case.in_range & (np.arange(timesteps) % every == 0)
    return some


def _is_order_elsewhere(case: Case, before: Array, some: Array) -> bool:
    """Whether the best order on one half of the timesteps, out of B!, also gains on the other half."""
    if case.shape[0] <= FEW:  # too few orders to find one by chance
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


def _knows_better(case: Case, before: Array, after: Array, used: Array) -> bool:
    """Whether the logits predict these targets better in the other order than as given."""
    given = max(0.0, evidence(case, before, case.targets))
    other = max(0.0, evidence(case, after, case.targets, used))
    needed = SOME if mean_of(after) <= LOUD * case.uniform else NO_CHANCE
    return other - given >= needed + lgamma(case.shape[0] + 1)


def _is_sure(
    case: Case, before: Array, after: Array, targets: Array, extra: float = 0.0, used: Array | None = None
) -> bool:
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
    return evidence(case, after, targets, used) >= needed + extra
