"""Where the sequences of a batch start and end: padding, content and end tokens."""

import numpy as np

from lossviz.batch import Batch
from lossviz.caching import cached
from lossviz.rules._core.case import Case

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
IGNORE_IDS = (-100, -1)
"""The ids that libraries use for ignored timesteps: PyTorch's and nanoGPT's."""

OFTEN = 3
"""This many pad ids inside sequences are no accident."""

_EOS_NAMES = {"<eos>", "</s>", "<|endoftext|>", "[eos]", "<|im_end|>", "<|eot_id|>", "<end>", "eos", "[sep]"}


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


def eos_of(case: Case) -> int | None:
    """The end-of-sequence id: the declared one, or the pad id if the vocabulary names it as an end."""
    batch = case.batch
    if batch.eos_id is not None or batch.pad_id is None:
        return batch.eos_id
    return batch.pad_id if batch.token(batch.pad_id).lower() in _EOS_NAMES else None


def pad_may_be_eos(case: Case) -> bool:
    """Whether a pad id at the end of a sequence may be its real end: nothing rules out that the two are the same."""
    eos, pad = eos_of(case), case.batch.pad_id
    return pad is not None and (eos == pad or (eos is None and "pad" not in case.batch.token(pad).lower()))


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
    end: Array = np.where(case.counts, positions, 0).max(axis=1, initial=0)
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
    cells: Array = tail(case) & case.counts
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
    inside = case.counts & ~tail(case)
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
    seen = np.logical_or.accumulate(case.counts, axis=1)
    coming = np.logical_or.accumulate(case.counts[:, ::-1], axis=1)[:, ::-1]
    both: Array = seen & coming
    return both


def agrees_with_ignore(case: Case) -> bool:
    """Whether there are ignore ids and exactly the other timesteps count."""
    ignored = np.isin(case.targets, (*IGNORE_IDS, *_declared(case)))
    return bool(ignored.any() and np.array_equal(case.counts, ~ignored))


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


def _declared(case: Case) -> tuple[int, ...]:
    return () if case.batch.ignore_id is None else (case.batch.ignore_id,)


@cached
def _filler(case: Case) -> Array:
    ignored = np.isin(case.targets, _declared(case))
    fills: Array = (case.is_pad & ~_real_by_inputs(case)) | ignored
    return fills


@cached
def _real_by_inputs(case: Case) -> Array:
    """Where a pad id is a real label because a tagger (not a language model) reads a real token there."""
    inputs, pad = case.batch.inputs, case.batch.pad_id
    if inputs is None or pad is None or not (inputs == pad).any():
        return case.nothing
    real: Array = inputs != pad
    return case.nothing if (case.counts & ~real).any() or _reads_its_targets(case, inputs) else real


def _reads_its_targets(case: Case, inputs: Array) -> bool:
    """Whether at least half of the targets are the inputs at one fixed lag: the same tokens, shifted."""
    labels = ~case.is_pad & ~np.isin(case.targets, _declared(case)) & (case.targets != eos_of(case))
    labels &= case.analysis.is_class
    lags = (-1, 0, 1, 2)
    return not labels.any() or any(_read_at(case.targets, inputs, labels, lag) >= 0.5 for lag in lags)


def _read_at(targets: Array, inputs: Array, labels: Array, lag: int) -> float:
    """The share of the labels that equal the input `lag` timesteps later; 0 if there are none."""
    timesteps = targets.shape[1]
    now, then = slice(max(-lag, 0), timesteps - max(lag, 0)), slice(max(lag, 0), timesteps + min(lag, 0))
    same = (targets[:, now] == inputs[:, then])[labels[:, now]]
    return float(same.mean()) if same.size else 0.0
