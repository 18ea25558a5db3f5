"""A training loop must arrive at the same loss over micro-batches as over the whole batch."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from lossviz.arrays import as_array
from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.errors import InputError
from lossviz.splits import Cut, Split, cut_evenly
from lossviz.testing._messages import likely, parts_text
from lossviz.testing._probe import Probe, differs, probe

__all__ = ["assert_accumulation_invariant"]

Array = np.ndarray
Combine = Callable[[list[Any]], Any]
Rows = Sequence[Sequence[int]]
MOST = 8


def assert_accumulation_invariant(
    loss_fn: Callable[..., Any],
    batch: Batch | None = None,
    *,
    splits: int | Iterable[int | Rows] | None = None,
    combine: Combine | None = None,
    framework: str | None = None,
    shift: bool = False,
    tolerance: float = 1e-5,
) -> None:
    """Check that a loop over micro-batches arrives at the loss of the whole batch.

    What `loss_fn` returns says what the loop does:

    - a pair (sum, count): the sums and the counts are added up, and divided once;
    - one number: the numbers are added up and divided by how many they are, as `loss / accumulation_steps` does;
    - anything, with `combine`: what it makes of the list of results, one per micro-batch, such as `combine=sum`.

    Args:
        loss_fn: (logits [b, T, V], targets [b, T], weights [b, T]) → a pair, a number, or what `combine` takes.
        batch: what to cut; by default a small one, see `lossviz.testing`.
        splits: each a number of micro-batches of consecutive sequences, or the sequences of each: ((0,), (1, 2)). By
            default 2, 3, … up to 8 micro-batches, and one per sequence.
        combine: list of results → one number.
        framework: "numpy", "tensorflow", "pytorch" or "jax"; by default detected, see `lossviz.testing`.
        shift: whether `loss_fn` shifts inside, as the models of Hugging Face do: `logits[:, :-1]` against
            `targets[:, 1:]`. It is then handed unshifted arrays, with one more column.
        tolerance: how far numbers may differ, relative to those above 1.

    Raises:
        AssertionError: with the micro-batches, the numbers and the likely bug.
        InputError: if a split does not fit the batch, or results can't be combined.

    >>> def total_and_count(logits, targets, weights):
    ...     return weights.sum() * 2.0, weights.sum()
    >>> assert_accumulation_invariant(total_and_count)
    >>> assert_accumulation_invariant(lambda logits, targets, weights: weights.sum(), splits=[2])
    Traceback (most recent call last):
    AssertionError: 2 micro-batches (sequences 0 to 1; sequence 2) give 5.5000 and the whole batch 11.0000; the \
tolerance is 1e-05. Likely RED02: these are sums, not means; if the loop adds them up pass `combine=sum`, else return \
(sum, count).
    """
    tried = probe(loss_fn, batch, framework, shift)
    whole = tried.result(tried.arrays)
    expected = _number(_combined([whole], combine))
    for cut in _cuts(splits, len(tried.arrays.targets)):
        parts = [tried.result(tried.arrays.rows(list(part))) for part in cut.parts]
        got = _number(_combined(parts, combine))
        if differs(np.asarray(expected), np.asarray(got), tolerance):
            raise AssertionError(
                f"{len(parts)} micro-batches ({parts_text(cut.parts)}) give {number_text(got)} and the whole batch "
                f"{number_text(expected)}; the tolerance is {tolerance:g}."
                + _cause(tried, cut, whole, parts, got, combine)
            )


def _cuts(splits: int | Iterable[int | Rows] | None, rows: int) -> list[Cut]:
    if rows < 2:
        raise InputError("`batch` must have at least two sequences to be cut into micro-batches; got one.")
    if splits is None:
        splits = {*range(2, min(rows, MOST) + 1), rows}
    return [_cut(split, rows) for split in ([splits] if isinstance(splits, int) else splits)]


def _cut(split: int | Rows, rows: int) -> Cut:
    if not isinstance(split, (int, np.integer)):
        cut = Cut("micro-batches", tuple(tuple(int(row) for row in part) for part in split))
        if cut.length != rows:
            raise InputError(f"`splits` must hold each of the {rows} sequences once; got {cut.parts}.")
        return cut
    if not 1 <= split <= rows:
        raise InputError(f"`splits` must be numbers from 1 to the {rows} sequences of the batch; got {split}.")
    return cut_evenly("micro-batches", rows, int(split))


def _is_pair(result: Any) -> bool:
    return isinstance(result, (tuple, list)) and len(result) == 2


def _combined(results: list[Any], combine: Combine | None) -> Any:
    if combine is not None:
        return combine(results)
    if all(map(_is_pair, results)):
        sums, counts = (sum(_number(result[side]) for result in results) for side in (0, 1))
        return float(np.divide(sums, counts)) if counts else np.nan
    return sum(map(_number, results)) / len(results)


def _number(result: Any) -> float:
    number = as_array("loss_fn(...)", result)
    if number.size != 1:
        raise InputError(
            f"`loss_fn` must return a number or a pair (sum, count) of numbers; got shape {number.shape}. "
            "Reduce it, or pass `combine`, which turns a list of results into one number."
        )
    return float(number.reshape(()))


def _cause(tried: Probe, cut: Cut, whole: Any, parts: list[Any], got: float, combine: Combine | None) -> str:
    """The end of the message: the likely bug, and for a mean of means what each timestep then weighs."""
    counts = np.array([tried.arrays.weights[list(part)].sum() for part in cut.parts], np.float64)
    if not np.isfinite(got) and (counts == 0).any():
        return " " + likely("PAD11")
    if _is_pair(whole):
        added = np.asarray(sum(_number(part[0]) for part in parts))
        sums_add = not differs(np.asarray(_number(whole[0])), added, 1e-5)
        return "" if combine else " " + likely("RED06 count" if sums_add else "RED01 sum")
    try:
        numbers = np.array([_number(part) for part in parts])
    except InputError:  # what `combine` takes
        return ""
    if not differs(np.asarray(_number(whole)), numbers.sum(), 1e-5):
        return " " + likely("RED02 sum")
    if not differs(np.asarray(got), numbers.sum(), 1e-5):
        return " " + likely("RED02")
    if differs(np.asarray(got), numbers.mean(), 1e-5):
        return ""
    reason = Split(cut, tried.arrays.weights.astype(np.float64), numbers * counts, counts).sentence
    return f" {reason} {likely('RED01')}"
