"""Label smoothing that gives the pad id nothing, timestep by timestep."""

import numpy as np

from lossviz.analysis import Analysis
from lossviz.caching import cached
from lossviz.conventions._terms import Terms
from lossviz.reductions import Options

__all__ = ["mass", "smoothed_without_pad", "total_without_pad"]

Array = np.ndarray


def smoothed_without_pad(terms: Terms, smoothing: float) -> tuple[Array, Array]:
    """Smoothing by ε/(V − 2) for each other class but the pad id: the cross entropy, and KL(q ‖ p), both [B, T].

    The distribution q has 1 − ε at the target, and 0 at the pad id, which is 0 where the batch names none. The second
    is the first less the entropy of q.
    """
    e, other = mass(terms, Options(smoothing=smoothing), 2)
    of_words, is_pad = terms.classes * terms.uniform_loss - _against_pad(terms.analysis), _is_pad(terms)
    usual = (1 - e) * terms.everywhere + other * (of_words - terms.everywhere)
    crossed = np.where(is_pad, other * of_words, usual)
    at_target, at_pad = _entropies(terms, e, other)
    return crossed, crossed + np.where(is_pad, at_pad, at_target)


def total_without_pad(terms: Terms, smoothing: float) -> tuple[float, float]:
    """Σ w of both: they are linear in ε and ε/(V − 2), so the timesteps are added up once for every ε."""
    e, other = mass(terms, Options(smoothing=smoothing), 2)
    words, real, pads, count = _totals(terms)
    crossed = (1 - e - other) * real + other * words
    at_target, at_pad = _entropies(terms, e, other)
    return float(crossed), float(crossed + (count - pads) * at_target + pads * at_pad)


@cached
def _totals(terms: Terms) -> tuple[float, float, float, float]:
    """Σ w · −log p over the words, Σ w·loss without targets that are the pad id, Σ w of these targets, and Σ w."""
    of_words = terms.classes * terms.uniform_loss - _against_pad(terms.analysis)
    is_pad = _is_pad(terms)
    real = terms.total(terms.under_mask(np.where(is_pad, 0.0, terms.everywhere)))
    return terms.total(terms.under_mask(of_words)), real, float(terms.weights[is_pad].sum()), terms.total_weight


@cached
def _against_pad(analysis: Analysis) -> Array:
    """The loss of every timestep against the pad id, [B, T]."""
    return analysis.losses_against(np.full(analysis.batch.targets.shape, analysis.batch.pad_id or 0))


def _is_pad(terms: Terms) -> Array:
    return np.asarray(terms.targets == (terms.analysis.batch.pad_id or 0))


def _entropies(terms: Terms, e: np.float64, other: np.float64) -> tuple[np.float64, np.float64]:
    """Minus the entropy of q where the target is a word, and where it is the pad id."""
    of_target = _x_log_x(1 - e) + (terms.classes - 2) * _x_log_x(other)
    return of_target, (terms.classes - 1) * _x_log_x(other)


def mass(terms: Terms, options: Options, reserved: int) -> tuple[np.float64, np.float64]:
    """ε, and what each other class gets of it; not a number where there is no other class."""
    e = np.float64(options.smoothing or 0.0)
    return e, e / np.float64(terms.classes - reserved)


def _x_log_x(x: np.float64) -> np.float64:
    return x * np.log(x) if x != 0 else np.float64(0)
