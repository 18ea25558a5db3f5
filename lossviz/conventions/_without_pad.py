"""Label smoothing that gives the pad id nothing, timestep by timestep."""

import numpy as np

from lossviz.conventions._terms import Terms
from lossviz.reductions import Options

__all__ = ["mass", "smoothed_without_pad"]

Array = np.ndarray


def smoothed_without_pad(terms: Terms, smoothing: float) -> tuple[Array, Array]:
    """Smoothing by ε/(V − 2) for each other class but the pad id: the cross entropy, and KL(q ‖ p), both [B, T].

    The distribution q has 1 − ε at the target, and 0 at the pad id, which is 0 where the batch names none. The second
    is the first less the entropy of q.
    """
    e, other = mass(terms, Options(smoothing=smoothing), 2)
    pad = terms.analysis.batch.pad_id or 0
    of_pad = terms.analysis.losses_against(np.full(terms.targets.shape, pad))
    of_words = terms.classes * terms.uniform_loss - of_pad
    is_pad = terms.targets == pad
    usual = (1 - e) * terms.everywhere + other * (of_words - terms.everywhere)
    crossed = np.where(is_pad, other * of_words, usual)
    at_target = _x_log_x(1 - e) + (terms.classes - 2) * _x_log_x(other)
    return crossed, crossed + np.where(is_pad, (terms.classes - 1) * _x_log_x(other), at_target)


def mass(terms: Terms, options: Options, reserved: int) -> tuple[np.float64, np.float64]:
    """ε, and what each other class gets of it; not a number where there is no other class."""
    e = np.float64(options.smoothing or 0.0)
    return e, e / np.float64(terms.classes - reserved)


def _x_log_x(x: np.float64) -> np.float64:
    return x * np.log(x) if x != 0 else np.float64(0)
