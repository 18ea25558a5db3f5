"""Which second batch, or how many more digits, would tell answers apart (matching rule 2)."""

from collections.abc import Callable, Sequence

import numpy as np

from lossviz.identification._facts import Facts, plural
from lossviz.identification._hypothesis import Hypothesis

__all__ = ["apart", "are_one", "is_same"]

SAME = 1e-9
"""How far apart, relative to the number, two formulas may be that give the same one."""

WEIGHTS = {"C03z", "C05k", "C05w", "C23", "C23w", "RED08", "RED15"}
"""The codes that only weights other than 0 and 1 tell apart."""

Reason = Callable[[Facts, set[str]], str]


def is_same(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether both give the same numbers on this batch, whatever was printed."""
    pairs = zip(
        one.values.tolist(), other.values.tolist(), strict=True
    )  # Python's floats: asked for every pair of hits
    return all(x == y or abs(x - y) <= SAME * abs(y) or (x != x and y != y) for x, y in pairs)


def are_one(one: Hypothesis, other: Hypothesis) -> bool:
    """Whether they are one formula under two codes, on any batch."""
    return one.parts == other.parts or one.code in other.aliases or other.code in one.aliases


def apart(one: Hypothesis, others: Sequence[Hypothesis], hidden: Sequence[Hypothesis], facts: Facts) -> str:
    """What to do to know which of the answers it is, in one sentence or two; "" where there is one.

    Args:
        one: an answer.
        others: the other answers.
        hidden: what `one` stands for beside itself on this batch.
        facts: of the batch.
    """
    if not np.isfinite(one.values).all():
        return ""
    same = [other for other in (*others, *hidden) if is_same(one, other) and not are_one(one, other)]
    near = [other for other in others if not is_same(one, other)]
    codes = {one.code, *one.codes} | {code for other in same for code in (other.code, *other.codes)}
    sentences = [_batch(facts, codes)] if same and _matters(same, others, facts) else []
    sentences += [_digits(one, near[0])] if near else []
    return " ".join(sentence for sentence in sentences if sentence)


def _matters(same: Sequence[Hypothesis], others: Sequence[Hypothesis], facts: Facts) -> bool:
    """Whether the batch leaves something open: another answer, or a convention that other lengths would show."""
    hidden = {other.code for other in same if other.convention is not None and other not in others} - WEIGHTS
    if facts.is_classifier:  # one timestep a sequence counts in every batch
        hidden = set()
    assumed = set() if facts.options.max_length is not None else {"C17"}  # L_max is T where it was not said
    return any(other in others for other in same) or bool(hidden - assumed)


def _batch(facts: Facts, codes: set[str]) -> str:
    return next(filter(None, (reason(facts, codes) for reason in REASONS)), ANY)


def _full(facts: Facts, _: set[str]) -> str:
    if not facts.is_full:
        return ""
    return (
        f"Cannot tell from this batch: every sequence counts all {plural(facts.timesteps, 'timestep')}. "
        "A batch with unequal lengths tells them apart."
    )


def _one_sequence(facts: Facts, _: set[str]) -> str:
    if facts.sequences != 1:
        return ""
    return "Cannot tell from one sequence. A batch of several with unequal lengths tells them apart."


def _equal_lengths(facts: Facts, _: set[str]) -> str:
    lengths = np.unique((facts.weights != 0).sum(axis=1))
    if len(lengths) != 1 or facts.is_classifier:
        return ""
    return (
        f"Cannot tell from this batch: every sequence counts {plural(lengths[0], 'timestep')}. "
        "A batch with unequal lengths tells them apart."
    )


def _stop_tokens(_: Facts, codes: set[str]) -> str:
    if not {"PAD05", "PAD08"} <= codes:
        return ""
    return "The stop token ends every sequence here. A batch with a sequence that was cut before it tells them apart."


def _weights(facts: Facts, codes: set[str]) -> str:
    if not facts.has_binary_weights or not codes & WEIGHTS:
        return ""
    return "Every weight is 0 or 1 here. A batch with other weights tells them apart."


def _sums(facts: Facts, codes: set[str]) -> str:
    counting, sequences, timesteps = facts.weight, facts.sequences, facts.timesteps
    first = np.count_nonzero(facts.weights[:, :1])
    if codes & {"C14", "RED04"} and counting + first == facts.positions:
        return f"Here N + B = B·T = {facts.positions:,}. A batch where they differ tells them apart."
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
