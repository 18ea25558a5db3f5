"""The logits of each sequence stand beside the targets of another one.

## What it checks
Whether the sequences of logits, put in another order, cost over 30 % less than as given, while those cost about as
much as a guess or more; or over 15 % less, and they know the targets of that order far better than of the one given.
The order is the best of all, so it must also be better at timesteps that it was not found with. Else, whether the
number that the loop printed is that of sequences in another order.

## Why it matters
Sequences are sorted by length for a packed recurrent network; where they are not sorted back, each is trained on the
targets of another.

## Example
The golden batch with its logits in the order 1, 2, 0 costs 2.5747 nats instead of 1.2545.

## How to fix
Sort the outputs back, or let the library do both.

## When it is a false alarm
Sequences that are alike can't be told apart, nor those of an untrained model: both are left alone.

## Threads
vsepp PR#36, pytorch#3662, pytorch#4927, pytorch#2615
"""

import numpy as np

from lossviz.fixes import SOURCE, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import counted_end
from lossviz.rules.shift._misalignment import best_fit

__all__ = ["RULE"]

Array = np.ndarray
_SORTED = Line(
    SOURCE,
    'order = tf.argsort(lengths, direction="DESCENDING", stable=True)',
    "order = lengths.argsort(descending=True, stable=True)",
).saying("as they were sorted")
_BACK = Line(SOURCE, "logits = tf.gather(logits, tf.argsort(order))", "logits = logits[order.argsort()]")


def _check(case: Case) -> Found | None:
    if case.shape[0] < 2:
        raise CannotTell("There is one sequence only.")
    fit = best_fit(case)
    if fit is None or fit.order is None:
        return None
    order = fit.order
    count = int((order != np.arange(len(order))).sum())
    return Found(
        message=f"{count} of {len(order)} sequences have the logits of another one{_cause(case, order)}: "
        f"in their own order they cost {fit.after:.4g} nats instead of {fit.before:.4g}.",
        cells=fit.cells,
        evidence={
            "sequences": count,
            "mean loss": fit.before,
            "mean loss, in order": fit.after,
            "order": ", ".join(map(str, order[:32])) + (" …" if len(order) > 32 else ""),
        },
        fix=_fix(case, order),
        repaired=lambda: case.batch.replace(logits=case.logits[order]),
    )


def _fix(case: Case, order: Array) -> dict[str, str]:
    """Sorted back; the order is known where it is that of the lengths."""
    lengths = case.batch.lengths
    by_length = lengths is not None and np.array_equal(np.argsort(-lengths, kind="stable"), np.argsort(order))
    back = _BACK if by_length else _BACK.saying("order is how they were sorted")
    return written([_SORTED, back] if by_length else [back], case.analysis)


def _cause(case: Case, order: Array) -> str:
    """Whether the logits lie as if sorted by length; ties may lie in any order."""
    lengths = counted_end(case) if case.batch.lengths is None else case.batch.lengths
    now = lengths[np.argsort(order)]
    if np.unique(lengths).size > 1 and (np.diff(now) <= 0).all():
        return ", as if sorted by length and not sorted back"
    return ""


RULE = Rule(
    code="SHF10",
    name="rows-permuted",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="layout",
    requires=("PAD13",),
    checks_reported=True,
    needs=("logits",),
)
"""Each sequence has its own logits."""
