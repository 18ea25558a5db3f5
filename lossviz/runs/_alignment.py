"""Whether two batches hold the same sequences; if only their order differs, the second in the order of the first."""

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


def aligned(a: Analysis, b: Analysis) -> Analysis:
    """Return b with its sequences in the order of a.

    Raises:
        InputError: if targets, vocabularies, or the numbers of classes differ; the sentence says what does.

    >>> batches = [Batch.from_arrays(losses=losses, targets=targets) for losses, targets in
    ...            (([[1.0], [2.0]], [[3], [4]]), ([[5.0], [6.0]], [[4], [3]]))]
    >>> aligned(*map(analyze, batches)).batch_loss.tolist()
    [[6.0], [5.0]]
    """
    _refuse_other_words(a.batch, b.batch)
    one, other = a.batch.targets, b.batch.targets
    if one.shape != other.shape:
        raise InputError(f"`a` and `b` must have targets of one shape; got {one.shape} and {other.shape}.")
    if np.array_equal(one, other):
        return b
    both = a.batch.inputs is not None and b.batch.inputs is not None
    rows = [_rows(batch, both=both) for batch in (a.batch, b.batch)]
    order = _order(*rows)
    if order is None:
        others = int((~np.isin(rows[1], rows[0])).sum()) or len(one)
        raise InputError(
            f"`a` and `b` must hold the same sequences; {others} of {len(one)} differ in their targets. "
            "Compare steps of a run that watches a fixed batch, or one batch under two checkpoints."
        )
    fields = b.batch.fields()
    moved = {name: fields[name][order] for name in _BY_ROW if name in fields}
    return analyze(b.batch.replace(**moved), b.settings)


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


def _order(a: Array, b: Array) -> Array | None:
    """Which row of b is which of a; None if they are not the same rows."""
    first, second = np.argsort(a, kind="stable"), np.argsort(b, kind="stable")
    if not (a[first] == b[second]).all():
        return None
    order = np.empty(len(a), int)
    order[first] = second
    return order
