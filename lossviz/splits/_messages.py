"""Why the mean of means differs from the mean, in the numbers of the batch."""

import numpy as np

from lossviz.splits._cut import Cut

__all__ = ["why"]

Array = np.ndarray
FRACTIONS = {2: "one half", 3: "one third", 4: "one quarter"}


def why(cut: Cut, weights: Array, counts: Array, *, agrees: bool) -> str:
    """Explain in one or two sentences why the mean of means differs from the mean, or why it does not.

    Args:
        cut: the cut of the batch.
        weights: the weight of each loss, [B, T].
        counts: Σ w of each part, [G].
        agrees: whether the mean of means is the mean.

    >>> from lossviz.splits import cut_evenly
    >>> why(cut_evenly("ranks", 2, 2), np.array([[1, 1, 1], [1, 0, 0]]), np.array([3, 1]), agrees=False)
    'Rank 0 holds 3 timesteps that count and rank 1 holds 1, but each mean counts one half: a timestep in 0 weighs \
1/6, one in 1 weighs 1/2, and not 1/4.'
    """
    filled = np.flatnonzero(counts)
    if not len(filled):
        return "No timestep counts: every mean is 0 ÷ 0."
    if len(counts) == 1:
        return "There is one part: its mean is the mean."
    if np.allclose(counts, counts[0], rtol=1e-12, atol=0):
        return _equal(cut, weights, counts)
    empty = _empty(cut, np.flatnonzero(counts == 0), len(counts))
    own = counts[filled]
    first, second = sorted((int(filled[own.argmin()]), int(filled[own.argmax()])))
    if first == second or counts[first] == counts[second]:
        return f"{empty} A timestep elsewhere weighs {_one_over(len(counts) * own[0])}, and not {_one_over(own.sum())}."
    chance = " That the two numbers agree here is chance." if agrees else ""
    return f"{empty} {_unequal(cut, weights, counts, first, second)}{chance}".strip()


def _equal(cut: Cut, weights: Array, counts: Array) -> str:
    return (
        f"Each {cut.words.part} holds {_holding(counts[0], weights)}, so a timestep weighs "
        f"{_one_over(counts.sum())} either way: the mean of the means is the mean."
    )


def _unequal(cut: Cut, weights: Array, counts: Array, first: int, second: int) -> str:
    parts, one = len(counts), "a timestep" if _all_alike(weights) else "a timestep of weight 1"
    each = "each mean counts" if parts == 2 else f"each of the {parts} means counts"
    weighs = [_one_over(parts * counts[part]) for part in (first, second)]
    return (
        f"{cut.name(first).capitalize()} holds {_holding(counts[first], weights)} and {cut.name(second)} holds "
        f"{_number(counts[second])}, but {each} {FRACTIONS.get(parts, f'1/{parts}')}: {one} in {first} weighs "
        f"{weighs[0]}, one in {second} weighs {weighs[1]}, and not {_one_over(counts.sum())}."
    )


def _empty(cut: Cut, empty: Array, parts: int) -> str:
    if not len(empty):
        return ""
    return (
        f"{cut.name(int(empty[0])).capitalize()} holds no timestep that counts: its mean is 0 ÷ 0, NaN in PyTorch, "
        f"which makes the whole number NaN; where it is made 0, the sum is still divided by {parts}."
    )


def _all_alike(weights: Array) -> bool:
    return bool(np.isin(weights, (0, 1)).all())


def _holding(count: float, weights: Array) -> str:
    if not _all_alike(weights):
        return f"weights of {_number(count)}"
    return "1 timestep that counts" if count == 1 else f"{_number(count)} timesteps that count"


def _one_over(count: float) -> str:
    return f"1/{_number(count)}"


def _number(count: float) -> str:
    return f"{count:,.6g}" if abs(count) < 1e6 else f"{count:,.0f}"
