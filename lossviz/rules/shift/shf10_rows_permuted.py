"""The logits of each sequence are paired with the targets of another one.

## What it checks
Whether reordering the logits' sequences lowers the loss by more than 30 %, while the loss as given is about that of a
uniform guess or worse; or by more than 15 %, if the logits predict the targets in that order far better than in the
given one; if the loss stays near ln V in that order too, so far that chance is ruled out. Because the order is the best
of all, it must also gain on timesteps that were not used to find it. If not, whether the number that the training loop
printed is the one another order would give.

## Why it matters
Sequences are sorted by length for a packed recurrent network; if they are not restored to their order, each is trained
on the targets of another.

## Example
With its logits in the order 1, 2, 0, the golden batch gives 2.5747 nats instead of 1.2545.

## How to fix
Restore the order of the outputs, or let the library do both.

## When it is a false alarm
Similar sequences can't be told apart, and an untrained model tells nothing; neither is reported.

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
    *2 * ("order = lengths.argsort(descending=True, stable=True)",),
).saying("as they were sorted")
_BACK = Line(SOURCE, "logits = tf.gather(logits, tf.argsort(order))", *2 * ("logits = logits[order.argsort()]",))


def _check(case: Case) -> Found | None:
    if case.shape[0] < 2:
        raise CannotTell("There is only one sequence.")
    fit = best_fit(case)
    if fit is None or fit.order is None:
        return None
    order = fit.order
    count = int((order != np.arange(len(order))).sum())
    return Found(
        message=f"{count} of {len(order)} sequences have another sequence's logits{_cause(case, order)}: "
        f"in the right order the loss is {fit.after:.4g} nats instead of {fit.before:.4g}.",
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
    """Undo the sorting; the order is known only if it is by length."""
    lengths = case.batch.lengths
    by_length = lengths is not None and np.array_equal(np.argsort(-lengths, kind="stable"), np.argsort(order))
    back = _BACK if by_length else _BACK.saying("order is the permutation that sorted them")
    return written([_SORTED, back] if by_length else [back], case.analysis)


def _cause(case: Case, order: Array) -> str:
    """A clause for logits that are sorted by length, with ties in any order."""
    lengths = counted_end(case) if case.batch.lengths is None else case.batch.lengths
    now = lengths[np.argsort(order)]
    if np.unique(lengths).size > 1 and (np.diff(now) <= 0).all():
        return ", as if sorted by length and never restored"
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
