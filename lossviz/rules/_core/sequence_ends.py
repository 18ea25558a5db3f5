"""Where the sequences of a batch start and end: padding, content and end tokens."""

import numpy as np

from lossviz.batch import Batch
from lossviz.caching import cached
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_ids import IGNORE_IDS, declared_ignore, eos_of, pad_may_be_eos
from lossviz.rules._core.padded_inputs import real_by_inputs

__all__ = [
    "IGNORE_IDS",
    "agrees_with_ignore",
    "between",
    "content",
    "content_end",
    "counted_end",
    "eos_of",
    "is_packed",
    "many",
    "may_be_cut",
    "may_be_words",
    "pad_may_be_eos",
    "padding",
    "pick",
    "tail",
    "trained_padding",
    "true_end",
    "weighs_everything",
    "with_counts",
]

Array = np.ndarray
OFTEN = 3
"""This many pad ids inside sequences are no accident."""


def many(count: int, one: str, more: str | None = None) -> str:
    """A count with its noun.

    >>> many(1, "timestep"), many(3, "timestep"), many(2, "row is", "rows are")
    ('1 timestep', '3 timesteps', '2 rows are')
    """
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def weighs_everything(case: Case) -> bool:
    """Whether every weight is 1 while the lengths end some sequence: a mask that the loss does not have."""
    weights, lengths = case.batch.weights, case.batch.lengths
    if case.analysis.mask_name != "weights" or weights is None or lengths is None:
        return False
    return bool((weights == 1).all() and (np.trunc(lengths) < case.shape[1]).any())


@cached
def tail(case: Case) -> Array:
    """The run of pad and ignore ids at the end of each sequence, [B, T], except where a tagger reads a real token."""
    run: Array = np.logical_and.accumulate(_filler(case)[:, ::-1], axis=1)[:, ::-1]
    return run


@cached
def padding(case: Case) -> Array:
    """The runs of filler at the end of each sequence and of pad ids at its start, [B, T]."""
    runs: Array = tail(case) | (case.pad_head & _filler(case))
    return runs


@cached
def content(case: Case) -> Array:
    """Everything except padding, [B, T]; a pad id inside a sequence is content."""
    inside: Array = ~padding(case)
    return inside


@cached
def content_end(case: Case) -> Array:
    """One past the last content timestep of each sequence, [B]; 0 if there is none."""
    end: Array = case.shape[1] - tail(case).sum(axis=1)
    return end


@cached
def counted_end(case: Case) -> Array:
    """One past the last timestep that counts in each sequence, [B]; 0 if none does."""
    positions = np.arange(1, case.shape[1] + 1)
    end: Array = np.where(case.mask, positions, 0).max(axis=1, initial=0)
    return end


@cached
def true_end(case: Case) -> Array:
    """Where each sequence should stop counting, [B]: after its content, including a pad id that is its end."""
    end = content_end(case)
    if case.batch.pad_id is None or eos_of(case) != case.batch.pad_id:
        return end
    ends_here: Array = pick(case.targets, end) == case.batch.pad_id
    after: Array = end + (ends_here & (end > 0))
    return after


def is_packed(case: Case) -> bool:
    """Whether rows are packed documents: the pad id is the end of sequence and also occurs inside rows."""
    inside = case.is_pad & ~padding(case)
    return bool(case.batch.pad_id is not None and eos_of(case) == case.batch.pad_id and inside.any())


@cached
def trained_padding(case: Case) -> Array:
    """The padding at the end of sequences that counts, [B, T], except a pad id that may be the real end."""
    cells: Array = tail(case) & case.mask
    if may_be_words(case, cells) or (is_packed(case) and cells.sum(axis=1).max(initial=0) < OFTEN):
        return case.nothing
    if not pad_may_be_eos(case):
        return cells
    end = content_end(case)[:, None]
    last = (np.arange(case.shape[1]) == end) & (end > 0) & case.is_pad
    trained: Array = cells & ~last
    return trained


def may_be_words(case: Case, ends: Array) -> bool:
    """Whether the pad id occurs inside sequences so often that these runs at their ends may be real tokens.

    If a token is the pad id with probability r, some sequence of b ends in a run of k with probability at most b·rᵏ.
    A tagger's label, or the end of each packed document, may have the same id as the padding of the inputs.
    """
    runs = (ends & case.is_pad).sum(axis=1)
    inside = case.mask & ~tail(case)
    words = int((inside & case.is_pad).sum())
    rate = words / max(int(inside.sum()), 1)
    return bool(runs.any() and words >= OFTEN and (runs > 0).sum() * rate ** int(runs.max()) > 1e-3)


def may_be_cut(case: Case, rows: Array) -> bool:
    """Whether these sequences may have been truncated at one length and then padded to a multiple of 8."""
    ends, timesteps = counted_end(case), case.shape[1]
    longest = int(ends.max(initial=0))
    return bool(timesteps % 8 == 0 and timesteps - longest <= 8 and rows.any() and (ends[rows] == longest).all())


@cached
def between(case: Case) -> Array:
    """From the first to the last timestep that counts in each sequence, [B, T]."""
    seen = np.logical_or.accumulate(case.mask, axis=1)
    coming = np.logical_or.accumulate(case.mask[:, ::-1], axis=1)[:, ::-1]
    both: Array = seen & coming
    return both


def agrees_with_ignore(case: Case) -> bool:
    """Whether there are ignore ids and exactly the other timesteps count."""
    ignored = np.isin(case.targets, (*IGNORE_IDS, *declared_ignore(case)))
    return bool(ignored.any() and np.array_equal(case.mask, ~ignored))


def with_counts(case: Case, counts: Array) -> Batch:
    """The batch with another mask, set through its lengths if those are in use, else through its weights."""
    runs = np.arange(case.shape[1]) < counts.sum(axis=1)[:, None]
    in_use = case.analysis.mask_name
    if in_use == "lengths" and np.array_equal(runs, counts):
        return case.batch.replace(lengths=counts.sum(axis=1))
    now = case.analysis.weights
    weights = np.where(counts, np.where(now != 0, now, 1.0), 0.0)
    return case.batch.replace(weights=weights, lengths=None if in_use == "lengths" else case.batch.lengths)


def pick(values: Array, place: Array) -> Array:
    """values[b, place[b]], [B]; −1 − 2⁶² where `place` is out of range.

    >>> pick(np.array([[5, 6], [7, 8]]), np.array([1, 0])).tolist()
    [6, 7]
    """
    timesteps = values.shape[1]
    inside = (place >= 0) & (place < timesteps)
    safe = np.clip(place, 0, timesteps - 1)[:, None]
    found: Array = np.where(inside, np.take_along_axis(values, safe, axis=1)[:, 0], _NOTHING)
    return found


_NOTHING = -1 - 2**62


@cached
def _filler(case: Case) -> Array:
    ignored = np.isin(case.targets, declared_ignore(case))
    fills: Array = (case.is_pad & ~real_by_inputs(case)) | ignored
    return fills
