"""Bigram models to measure a language model against: interpolated Kneser-Ney, and add-k, tuned on validation."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

__all__ = ["Probability", "add_k", "kneser_ney", "perplexity", "tuned"]

Sequences = Sequence[Sequence[int]]
Probability = Callable[[int, int], float]
DISCOUNTS = np.arange(1, 20) / 20
CONSTANTS = 10.0 ** np.arange(-4, 2)


def add_k(sequences: Sequences, classes: int, k: float) -> Probability:
    """p(b | a) = (n(ab) + k) / (n(a) + k · classes).

    >>> add_k([[2, 4, 4, 3]], classes=3, k=1)(4, 3)  # 4 was followed by 4 and by 3
    0.4
    """
    pairs = Counter(pair for sequence in sequences for pair in pairwise(sequence))
    before = Counter(a for sequence in sequences for a in sequence[:-1])
    return lambda a, b: (pairs[a, b] + k) / (before[a] + k * classes)


def kneser_ney(sequences: Sequences, classes: int, discount: float) -> Probability:
    """Interpolated Kneser-Ney: max(n(ab) - D, 0) / n(a) + D · followers(a) / n(a) · p(b).

    p(b) counts in how many contexts b stands, discounted by D too, with the uniform distribution below it. Source: S.
    Chen and J. Goodman, "An Empirical Study of Smoothing Techniques for Language Modeling" (1998), section 2.7.

    Args:
        sequences: ids with start and stop.
        classes: how many ids a timestep may predict.
        discount: D in (0, 1).

    >>> p = kneser_ney([[2, 4, 4, 3]], classes=3, discount=0.5)
    >>> p(4, 3), sum(p(4, b) for b in (3, 4, 5))  # 0.25 + 0.5 · (0.5 / 3 + 0.5 · 2 / 3 / 3)
    (0.3888888888888889, 1.0)
    """
    pairs = Counter(pair for sequence in sequences for pair in pairwise(sequence))
    contexts = Counter(b for _, b in pairs)
    followers = Counter(a for a, _ in pairs)
    before = Counter(a for sequence in sequences for a in sequence[:-1])
    floor = discount * len(contexts) / len(pairs) / classes

    def probability(a: int, b: int) -> float:
        lower = max(contexts[b] - discount, 0) / len(pairs) + floor
        if not before[a]:
            return lower
        return float((max(pairs[a, b] - discount, 0) + discount * followers[a] * lower) / before[a])

    return probability


def perplexity(probability: Probability, sequences: Sequences) -> float:
    """The perplexity: exp of the mean loss of every token after the start, in nats."""
    return float(np.exp(np.mean([-np.log(probability(a, b)) for ids in sequences for a, b in pairwise(ids)])))


def tuned(
    make: Callable[[Sequences, int, float], Probability],
    options: Iterable[float],
    train: Sequences,
    validation: Sequences,
    classes: int,
) -> tuple[float, Probability]:
    """The option with the lowest perplexity on the validation sequences, and its model."""
    made = partial(make, train, classes)
    best = min(options, key=lambda option: perplexity(made(option), validation))
    return float(best), made(best)
