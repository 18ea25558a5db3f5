"""The sequences that two batches share, those of the second in the order of the first."""

import numpy as np

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.errors import InputError

__all__ = ["aligned"]

Array = np.ndarray
_BY_ROW = (
    "logits", "targets", "lengths", "weights", "inputs", "segment_ids",
    "losses", "entropy", "rank", "top_classes", "top_probabilities",
)  # fmt: skip


def aligned(a: Analysis, b: Analysis) -> tuple[Analysis, Analysis, Array]:
    """Return both with the sequences that they share, in the order of a, and which of a's sequences those are.

    Raises:
        InputError: if vocabularies, or the numbers of classes or timesteps differ, or no sequence is in both; the
            sentence says what differs.

    >>> batches = [Batch.from_arrays(losses=losses, targets=targets) for losses, targets in
    ...            (([[1.0], [2.0]], [[3], [4]]), ([[5.0], [6.0], [7.0]], [[4], [3], [8]]))]
    >>> one, other, rows = aligned(*map(analyze, batches))
    >>> one.batch_loss.tolist(), other.batch_loss.tolist(), rows.tolist()
    ([[1.0], [2.0]], [[6.0], [5.0]], [0, 1])
    """
    _refuse_other_words(a.batch, b.batch)
    one, other = a.batch.targets, b.batch.targets
    if one.shape[1] != other.shape[1]:
        raise InputError(
            f"`a` and `b` must have the same number of timesteps; got {one.shape[1]} and {other.shape[1]}. "
            "Compare two batches of the same sequences."
        )
    if np.array_equal(one, other):
        return a, b, np.arange(len(one))
    both = a.batch.inputs is not None and b.batch.inputs is not None
    first, second = _shared(*(_rows(batch, both=both) for batch in (a.batch, b.batch)))
    if not len(first):
        raise InputError(
            f"`a` and `b` must share sequences; none of the {len(one)} of `a` is among the {len(other)} of `b`. "
            "Compare steps of a run that watches a fixed batch, or one batch under two checkpoints."
        )
    return _with_rows(a, first), _with_rows(b, second), first


def _with_rows(analysis: Analysis, rows: Array) -> Analysis:
    """The same analysis of some rows, in their order."""
    batch = analysis.batch
    if np.array_equal(rows, np.arange(len(batch.targets))):
        return analysis
    fields = batch.fields()
    moved = {name: fields[name][rows] for name in _BY_ROW if name in fields}
    whole = len(rows) == len(batch.targets)
    return analyze(batch.replace(**moved, **({} if whole else {"reported": None})), analysis.settings)


def _refuse_other_words(a: Batch, b: Batch) -> None:
    words = [batch.vocabulary for batch in (a, b)]
    if None not in words and words[0] != words[1]:
        sizes = " and ".join(f"{len(word or ()):,}" for word in words)
        raise InputError(f"`a` and `b` must have one vocabulary; theirs differ, of {sizes} tokens.")
    if None not in (a.classes, b.classes) and a.classes != b.classes:
        raise InputError(
            f"`a` and `b` must have the same number of classes; got {a.classes:,} and {b.classes:,}. "
            "Compare two batches of the same sequences."
        )


def _rows(batch: Batch, *, both: bool) -> Array:
    """Each row as one value: its targets and, where both batches have inputs, what was read."""
    columns = np.concatenate([batch.targets, np.asarray(batch.inputs)], axis=1) if both else batch.targets
    return np.array([row.tobytes() for row in np.ascontiguousarray(columns)])


def _shared(a: Array, b: Array) -> tuple[Array, Array]:
    """The places in a and in b of the rows that are in both, in the order of a; of equal rows the first with the first.

    >>> _shared(np.array([b"x", b"y", b"x"]), np.array([b"x", b"z", b"y"]))
    (array([0, 1]), array([0, 2]))
    """
    left: dict[bytes, list[int]] = {}
    for place in reversed(range(len(b))):
        left.setdefault(bytes(b[place]), []).append(place)
    pairs = [(place, left[row].pop()) for place, row in enumerate(map(bytes, a)) if left.get(row)]
    found = np.array(pairs, int).reshape(-1, 2)
    return found[:, 0], found[:, 1]
