"""Which second batch, or how many more digits, would tell answers apart (matching rule 2)."""

from collections.abc import Callable, Sequence

import numpy as np

from lossviz.identification._context import Context, plural
from lossviz.identification._hypothesis import Hypothesis

__all__ = ["are_one", "how_to_distinguish", "is_same"]

SAME = 1e-9
"""How far apart, relative to the number, two formulas may be that give the same one."""

WEIGHTS = {"C03z", "C05k", "C05w", "C23", "C23w", "RED08", "RED15"}
"""The codes that only weights other than 0 and 1 tell apart."""

Reason = Callable[[Context, set[str]], str]


def is_same(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether both give the same numbers on this batch, whatever was printed."""
    pairs = zip(
        one.values.tolist(), other.values.tolist(), strict=True
    )  # Python's floats: asked for every pair of hits
    return all(x == y or abs(x - y) <= SAME * abs(y) or (x != x and y != y) for x, y in pairs)


def are_one(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether they are one formula under two codes, on any batch."""
    return one.parts == other.parts or one.code in other.aliases or other.code in one.aliases


def how_to_distinguish(
    one: Hypothesis, others: Sequence[Hypothesis], hidden: Sequence[Hypothesis], context: Context
) -> str:
    """What to do to know which of the answers it is, in one sentence or two; "" where there is one.

    Args:
        one: an answer.
        others: the other answers.
        hidden: what `one` stands for beside itself on this batch.
        context: of the batch.
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
    """Whether the batch leaves something open: another answer, or a convention that other lengths would show."""
    hidden = {other.code for other in same if other.convention is not None and other not in others} - WEIGHTS
    if context.is_classifier:  # one timestep a sequence counts in every batch
        hidden = set()
    assumed = set() if context.options.max_length is not None else {"C17"}  # L_max is T where it was not said
    return any(other in others for other in same) or bool(hidden - assumed)


def _batch(context: Context, codes: set[str]) -> str:
    return next(filter(None, (reason(context, codes) for reason in REASONS)), ANY)


def _full(context: Context, _: set[str]) -> str:
    if not context.is_full:
        return ""
    return (
        f"Cannot tell from this batch: every sequence counts all {plural(context.timesteps, 'timestep')}. "
        "A batch with unequal lengths tells them apart."
    )


def _one_sequence(context: Context, _: set[str]) -> str:
    if context.sequences != 1:
        return ""
    return "Cannot tell from one sequence. A batch of several with unequal lengths tells them apart."


def _equal_lengths(context: Context, _: set[str]) -> str:
    lengths = np.unique((context.weights != 0).sum(axis=1))
    if len(lengths) != 1 or context.is_classifier:
        return ""
    return (
        f"Cannot tell from this batch: every sequence counts {plural(lengths[0], 'timestep')}. "
        "A batch with unequal lengths tells them apart."
    )


def _stop_tokens(_: Context, codes: set[str]) -> str:
    if not {"PAD05", "PAD08"} <= codes:
        return ""
    return "The stop token ends every sequence here. A batch with a sequence that was cut before it tells them apart."


def _weights(context: Context, codes: set[str]) -> str:
    if not context.has_binary_weights or not codes & WEIGHTS:
        return ""
    return "Every weight is 0 or 1 here. A batch with other weights tells them apart."


def _sums(context: Context, codes: set[str]) -> str:
    counting, sequences, timesteps = context.weight, context.sequences, context.timesteps
    first = np.count_nonzero(context.weights[:, :1])
    if codes & {"C14", "RED04"} and counting + first == context.positions:
        return f"Here N + B = B·T = {context.positions:,}. A batch where they differ tells them apart."
    if codes & {"C15", "RED16"} and counting - sequences == timesteps:
        return f"Here N − B = T = {timesteps:,}. A batch where they differ tells them apart."
    if codes & {"C08", "RED06", "RED02"} and timesteps and counting % timesteps == 0:
        return f"Here N = {counting / timesteps:g}·T. A batch where N is no multiple of T tells them apart."
    return ""


REASONS: tuple[Reason, ...] = (_full, _one_sequence, _equal_lengths, _stop_tokens, _weights, _sums)
ANY = "They are the same on this batch. A second batch with its own number tells them apart."


def _digits(one: Hypothesis, other: Hypothesis) -> str:
    first, second = float(one.values[0]), float(other.values[0])
    gap = abs(first - second)
    if len(one.values) > 1 or not np.isfinite(gap) or gap == 0:
        return "A second batch with its own numbers tells them apart."
    decimals = int(np.clip(np.ceil(-np.log10(gap)) + 1, 0, 12))
    named = " + ".join(other.codes) or other.code
    return f"More digits tell it from {named}: {first:.{decimals}f} or {second:.{decimals}f}."
