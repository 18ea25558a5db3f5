"""Nothing in the batch counts.

## What it checks
Whether every weight in use is 0. As an info, whether less than 1 % of the timesteps count.

## Why it matters
The divisor is 0: PyTorch's mean is NaN and spreads to every parameter, while a sum, `divide_no_nan`, or a small
constant in the divisor gives a loss of exactly 0, which looks like success but trains nothing.

## Example
Every label is −100 because the response template was not found in the text.

## How to fix
Find out why nothing is left (template, truncation, mask), and guard the division for the occasional empty batch.

## When it is a false alarm
If a micro-batch is occasionally empty, the guard is all you need. Less than 1 % is an info, because a short answer to
a long prompt is legitimate.

## Threads
pytorch#70348, pytorch#116349, pytorch#75181, OpenRLHF PR#583, cosmos-rl PR#155, trl#1191, unsloth#1128, unsloth#3198,
unsloth#2364
"""

from collections.abc import Callable

import numpy as np

from lossviz.batch import Batch
from lossviz.fixes import BY_LENGTH, GUARDED, WEIGH, Line, fix_of, weigh, written
from lossviz.masking import length_mask
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import ends
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many, true_end

__all__ = ["RULE"]

_WHY = {
    "weights": "every weight is 0",
    "lengths": "every length is 0",
    "ignore_id": "every label is the ignore id {ignore_id}",
    "nonpad": "every label is the pad id {pad_id}",
}


def _check(case: Case) -> Found | None:
    cells, counting = case.mask.size, int(case.mask.sum())
    if case.analysis.mask_name not in _WHY:
        return None
    if counting:
        return _hardly_any(case, counting, cells) if counting < 0.01 * cells else None
    why = _WHY[case.analysis.mask_name].format(ignore_id=case.batch.ignore_id, pad_id=case.batch.pad_id)
    return Found(
        message=f"None of {many(cells, 'timestep')} counts: {why}.",
        cells=np.ones(case.mask.shape, bool),
        evidence={"timesteps that count": 0, "timesteps": cells},
        fix=_fix(case, _repair(case)),
        repaired=_repair(case),
    )


def _hardly_any(case: Case, counting: int, cells: int) -> Found:
    return Found(
        message=f"Only {counting:,} of {cells:,} timesteps {'counts' if counting == 1 else 'count'} "
        f"({100 * counting / cells:.2g} %).",
        cells=case.mask,
        evidence={"timesteps that count": counting, "timesteps": cells},
        fix=_fix(case, None),
        severity="info",
    )


def _fix(case: Case, repair: Callable[[], Batch] | None) -> dict[str, str]:
    """The repaired mask, if there is one, then a mean that is 0 when nothing counts."""
    if repair is None:
        return fix_of(["PAD11"], case.analysis)
    batch, guarded = repair(), GUARDED.saying("0 where nothing counts")
    given = case.batch.lengths
    if batch.lengths is not None and (given is None or not np.array_equal(batch.lengths, given)):
        return written([ends(case), BY_LENGTH, guarded], case.analysis)
    return written([Line(WEIGH, *weigh(batch, batch.declared_mask)), guarded], case.analysis)


def _repair(case: Case) -> Callable[[], Batch] | None:
    lengths, timesteps, ignore = case.batch.lengths, case.shape[1], case.batch.ignore_id
    if ignore is not None and len({False, True} & set((case.targets == ignore).flat)) == 2:
        return lambda: case.batch.replace(weights=None, lengths=None)
    if lengths is not None and length_mask(lengths, timesteps).any():
        return lambda: case.batch.replace(weights=None)
    ends = true_end(case)
    if case.batch.pad_id is None or not ends.any() or case.analysis.mask_name == "ignore_id":
        return None
    return lambda: _by_content(case, ends)


def _by_content(case: Case, ends: np.ndarray) -> Batch:
    return case.batch.replace(weights=None, lengths=ends)


RULE = Rule(
    code="PAD11",
    name="nothing-supervised",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="supervision",
    requires=("PAD09",),
)
"""Something is trained."""
