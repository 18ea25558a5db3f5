"""Which second batch, or how many more digits, would tell answers apart (matching rule 2)."""

from collections.abc import Callable, Sequence

import numpy as np

from lossviz.conventions import CONVENTIONS
from lossviz.identification._context import Context, amount, plural
from lossviz.identification._hypothesis import Hypothesis
from lossviz.reductions import REDUCTIONS

__all__ = ["are_one", "how_to_distinguish", "is_same"]

SAME = 1e-9
"""The relative difference up to which two values are the same number."""

WEIGHTS = {row.code for row in CONVENTIONS if row.told_by_weights} | {"RED08", "RED15"}
"""The codes that only weights other than 0 and 1 can tell apart."""

Reason = Callable[[Context, set[str]], str]


def is_same(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether both have the same values on this batch, whatever was printed."""
    pairs = zip(
        one.values.tolist(), other.values.tolist(), strict=True
    )  # Python's floats: asked for every pair of hits
    return all(x == y or abs(x - y) <= SAME * abs(y) or (x != x and y != y) for x, y in pairs)


def are_one(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether they are the same formula under two codes, on every batch."""
    return one.parts == other.parts or one.code in other.aliases or other.code in one.aliases


def how_to_distinguish(
    one: Hypothesis, others: Sequence[Hypothesis], hidden: Sequence[Hypothesis], context: Context
) -> str:
    """How to find out which of the answers is right, in one or two sentences; "" if there is only one.

    Args:
        one: an answer.
        others: the other answers.
        hidden: the other formulas merged into `one` on this batch.
        context: the context of the batch.
    """
    if not np.isfinite(one.values).all():
        return ""
    same = [other for other in (*others, *hidden) if is_same(one, other) and not are_one(one, other)]
    near = [other for other in others if not is_same(one, other)]
    codes = {one.code, *one.codes} | {code for other in same for code in (other.code, *other.codes)}
    sentences = [_batch(context, codes)] if same and _matters(same, others, context) else []
    sentences += [_digits(one, near[0])] if near else []
    return " ".join(sentence for sentence in sentences if sentence)


def _matters(same: Sequence[Hypothesis], others: Sequence[Hypothesis], context: Context) -> bool:
    """Whether a question is left open: another answer, or a convention that other lengths would rule out."""
    hidden = {other.code for other in same if other.convention is not None and other not in others} - WEIGHTS
    if context.is_classifier:  # every batch has one unmasked timestep per sequence
        hidden = set()
    assumed = set() if context.options.max_length is not None else {"C17"}  # L_max is T unless given
    return any(other in others for other in same) or bool(hidden - assumed)


def _batch(context: Context, codes: set[str]) -> str:
    return next(filter(None, (reason(context, codes) for reason in REASONS)), ANY)


def _full(context: Context, _: set[str]) -> str:
    if not context.is_full:
        return ""
    return (
        f"This batch cannot tell them apart: in every sequence all {plural(context.timesteps, 'timestep')} count. "
        "A batch with unequal lengths can."
    )


def _one_sequence(context: Context, _: set[str]) -> str:
    if context.sequences != 1:
        return ""
    return "One sequence cannot tell them apart. A batch of several with unequal lengths can."


def _equal_lengths(context: Context, _: set[str]) -> str:
    lengths = np.unique((context.weights != 0).sum(axis=1))
    if len(lengths) != 1 or context.is_classifier:
        return ""
    return (
        f"This batch cannot tell them apart: in every sequence {plural(lengths[0], 'timestep')} "
        f"count{'s' if lengths[0] == 1 else ''}. A batch with unequal lengths can."
    )


def _stop_tokens(_: Context, codes: set[str]) -> str:
    if not {"PAD05", "PAD08"} <= codes:
        return ""
    return (
        "Every sequence here ends with the stop token. A batch with a sequence cut off before it can tell them apart."
    )


def _weights(context: Context, codes: set[str]) -> str:
    if not context.has_binary_weights or not codes & WEIGHTS:
        return ""
    return "Every weight is 0 or 1 here. A batch with other weights can tell them apart."


def _equal_divisors(context: Context, codes: set[str]) -> str:
    """Two divisors that coincide on this batch, such as N − B and T."""
    found: dict[float, str] = {}
    for row in reversed(REDUCTIONS):
        if row.symbol and row.code and (row.code in codes or row.name == "positions"):
            divisor = row.reduce(np.zeros_like(context.weights), context.weights, context.options).divisor.item()
            if found.setdefault(divisor, row.symbol) != row.symbol:
                coincide = f"{found[divisor]} = {row.symbol} = {amount(divisor)}"
                return f"Here {coincide}. A batch where they differ can tell them apart."
    return ""


def _multiple_of_timesteps(context: Context, codes: set[str]) -> str:
    times = context.weight / context.timesteps if context.timesteps else 0.5
    if not codes & {"C08", "RED06", "RED02"} or not times.is_integer():
        return ""
    return f"Here N = {times:g}·T. A batch where N is not a multiple of T can tell them apart."


REASONS: tuple[Reason, ...] = (
    _full,
    _one_sequence,
    _equal_lengths,
    _stop_tokens,
    _weights,
    _equal_divisors,
    _multiple_of_timesteps,
)
ANY = "They agree on this batch. A second batch with its own number can tell them apart."


def _digits(one: Hypothesis, other: Hypothesis) -> str:
    first, second = float(one.values[0]), float(other.values[0])
    gap = abs(first - second)
    if len(one.values) > 1 or not np.isfinite(gap) or gap == 0:
        return "A second batch with its own numbers can tell them apart."
    decimals = int(np.clip(np.ceil(-np.log10(gap)) + 1, 0, 12))
    named = " + ".join(other.codes) or other.code
    return f"More digits would tell it from {named}: {first:.{decimals}f} or {second:.{decimals}f}."
