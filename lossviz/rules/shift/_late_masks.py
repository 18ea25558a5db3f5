"""Whether a mask that leaves prompts out stands one timestep late or early, and the weights moved back as a whole.

Tokens are cut into inputs = tokens[:, :-1] and targets = tokens[:, 1:], so the mask of the answers must become
mask[:, 1:]. With mask[:, :-1] it is late: the first token of each answer does not count, and the one after its end
does. Cut twice, it is early: the last token of each prompt counts, and the end of each answer does not.
"""

from dataclasses import dataclass

import numpy as np

from lossviz.caching import cached
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell
from lossviz.rules._core.sequence_ends import counted_end, eos_of, pad_may_be_eos, pick

__all__ = ["Moved", "moved_mask"]

Array = np.ndarray
UNKNOWN = -1 - 2**62
ALL = 0.8
"""The share of the sequences whose prompts must end in the same token."""
LEFT = 3
"""Fewer sequences don't show that the mask is late while its ends are right."""
CHANCE = 2e-2
"""The most likely that an early mask may be by chance: that all answers begin with one word."""


@dataclass(frozen=True, eq=False)
class Moved:
    """A mask that stands beside the answers.

    Attributes:
        late: by how many timesteps, 1 or −1.
        rows: [B] bool, the sequences whose ends show it.
        weights: [B, T], moved back as a whole.
        targets: [B, T], with the labels back that the mask had replaced by the ignore id.
    """

    late: int
    rows: Array
    weights: Array
    targets: Array


@cached
def moved_mask(case: Case) -> Moved | None:
    """How far the mask of prompts and answers is off, or None if it is not.

    A late mask is told by its ends: each padded sequence trains exactly one pad. That the length is one too long says
    the same, so the token before the mask decides where prompts end in a common one. An early mask loses each
    sequence's end, as one does that leaves out the end token, so a common last token of the prompts must count.

    Raises:
        CannotTell: if the one pad that counts may be the end of the sequence.
    """
    if case.analysis.mask_name not in ("weights", "ignore_id") or not _has_prompts(case):
        return None
    labels = _labels(case)
    end, true = counted_end(case), _ends(case, labels)
    rows = np.asarray(case.mask.any(axis=1))
    padded, short = rows & (true < case.shape[1]), rows & (end == true - 1)
    if case.batch.pad_id is not None and padded.any() and _all_late(case, rows & ~padded, padded, end - true):
        return _late(case, labels, padded, true)
    if rows.any() and (end == true)[rows].all() and _all_begin_late(case, labels, rows):
        return _late(case, labels, rows, true)
    cut = rows & (end == true) & ((end == case.shape[1]) | (labels[:, -1] == UNKNOWN))
    if short.any() and (short | cut)[rows].all():
        return _early(case, labels, short, true)
    return None


def _has_prompts(case: Case) -> bool:
    """Whether most masks start after the first token of their sequences."""
    rows = case.mask.any(axis=1)
    starts = case.mask.argmax(axis=1)
    head = case.pad_head.sum(axis=1) if case.batch.inputs is None else _input_head(case)
    return bool(rows.any() and (starts > head)[rows].mean() > 0.5)


def _input_head(case: Case) -> Array:
    """How many pad ids each sequence's inputs begin with, [B]."""
    read = np.logical_and.accumulate(case.batch.inputs == case.batch.pad_id, axis=1)
    head: Array = np.maximum(read.sum(axis=1) - 1, 0)
    return head


def _labels(case: Case) -> Array:
    """The tokens to predict, [B, T], those that an ignore id replaced from the inputs; `UNKNOWN` where nothing says."""
    labels, inputs = case.targets, case.batch.inputs
    ignored = labels == case.batch.ignore_id
    if not ignored.any():
        return labels
    restored = np.full_like(labels, UNKNOWN)
    if inputs is not None:
        follow = (labels[:, :-1] == inputs[:, 1:])[~ignored[:, :-1]]
        if follow.size and follow.mean() > 0.95:
            restored[:, :-1] = inputs[:, 1:]
    found: Array = np.where(ignored, restored, labels)
    return found


def _ends(case: Case, labels: Array) -> Array:
    """One past the last token of each sequence, its end token included, [B]."""
    real = (labels != UNKNOWN) & (labels != case.batch.pad_id)
    last = np.where(real, np.arange(1, case.shape[1] + 1), 0).max(axis=1, initial=0)
    if case.batch.pad_id is None or eos_of(case) != case.batch.pad_id:
        return np.asarray(last)
    after: Array = last + ((pick(labels, last) == case.batch.pad_id) & (last > 0))
    return after


def _all_begin_late(case: Case, labels: Array, rows: Array) -> bool:
    """Whether the answers begin one timestep after the token in which all prompts end, though their ends are right.

    So it is in left-padded rows, which a mask that is late can't leave at their end.
    """
    starts = case.mask.argmax(axis=1)
    before, earlier = pick(labels, starts - 1)[rows], pick(labels, starts - 2)[rows]
    if earlier.size < LEFT or (earlier != earlier[0]).any() or earlier[0] == UNKNOWN or (before == UNKNOWN).any():
        return False
    by_chance = float(case.shape[2] or case.analysis.classes) ** (1 - earlier.size)
    once = ((labels == earlier[0]).sum(axis=1)[rows] == 1).all()
    return bool(once and len(np.unique(before)) > 1 and earlier[0] != case.batch.pad_id and by_chance < CHANCE / 100)


def _all_late(case: Case, full: Array, padded: Array, over: Array) -> bool:
    return bool((over[padded] == 1).all() and (counted_end(case)[full] == case.shape[1]).all())


def _common(labels: Array, starts: Array, rows: Array) -> tuple[bool, int]:
    """Whether nearly all of the sequences have one token at `starts`, and which."""
    tokens = pick(labels, starts)[rows]
    known = tokens[tokens != UNKNOWN]
    if known.size < 2 or known.size < ALL * rows.sum():
        return False, UNKNOWN
    values, counts = np.unique(known, return_counts=True)
    return bool(counts.max() >= ALL * known.size), int(values[counts.argmax()])


def _late(case: Case, labels: Array, padded: Array, true: Array) -> Moved | None:
    starts, rows = case.mask.argmax(axis=1), np.asarray(case.mask.any(axis=1))
    before, earlier = _common(labels, starts - 1, rows)[0], _common(labels, starts - 2, rows)[0]
    if before and not earlier:
        return None  # the answers start in time: their lengths are one too long
    if pad_may_be_eos(case) and eos_of(case) is None and not earlier:
        raise CannotTell(
            f"The pad id {case.batch.pad_id} that counts may be the end of the sequence. Declare `eos_id`."
        )
    if padded.sum() < 2 and not earlier:
        return None
    if not earlier and not (case.mask & (np.arange(case.shape[1]) >= true[:, None])).any():
        return None
    now = case.analysis.weights
    weights = np.zeros_like(now)
    weights[:, :-1] = now[:, 1:]
    weights[:, -1] = np.where(true == case.shape[1], now[:, -1], 0)
    ended = counted_end(case) == true  # the end that is right stays
    weights[ended, true[ended] - 1] = now[ended, true[ended] - 1]
    return _known(Moved(1, padded, weights, labels), case)


def _early(case: Case, labels: Array, short: Array, true: Array) -> Moved | None:
    starts, rows = case.mask.argmax(axis=1), np.asarray(case.mask.any(axis=1))
    first, second = _common(labels, starts, rows)[0], _common(labels, starts + 1, rows)[0]
    by_chance = float(case.shape[2] or case.analysis.classes) ** (1 - int(rows.sum()))
    if not first or second or by_chance > CHANCE:
        return None
    if eos_of(case) == case.batch.pad_id and _common(labels, starts - 1, rows)[0] and not (true == case.shape[1]).any():
        return None  # answers may begin with one word, and a mask by the pad id loses their ends (PAD05)
    now = case.analysis.weights
    weights = np.zeros_like(now)
    weights[:, 1:] = now[:, :-1]
    return _known(Moved(-1, short, weights, labels), case)


def _known(moved: Moved, case: Case) -> Moved:
    """Without the timesteps whose label nobody knows; the ignore id stays where nothing counts."""
    known = moved.targets != UNKNOWN
    weights = np.where(known, moved.weights, 0)
    ignored = (case.targets == case.batch.ignore_id) & (weights == 0)
    targets = np.where(ignored | ~known, case.targets, moved.targets)
    if case.analysis.mask_name == "ignore_id":
        targets = np.where(weights == 0, case.batch.ignore_id or 0, targets)
    return Moved(moved.late, moved.rows, weights, targets)
