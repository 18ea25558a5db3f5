"""A sequence has no timestep that counts.

## What it checks
Whether the weights of a sequence are all 0, or its length is 0, while other sequences count. It is an error if the
training loop printed NaN although every loss is finite.

## Why it matters
Its own mean is 0 / 0. When the loss is a mean over sequences, some libraries divide by all sequences, some by the
non-empty ones, and some return NaN; recurrent kernels reject a length of 0.

## Example
The first row of the golden batch plus an empty one: the mean of the per-sequence means is 6.8 / 5 / 2 = 0.68 over both
rows and 1.36 over the non-empty one.

## How to fix
Remove empty sequences from the batch, or guard the division of each sequence.

## When it is a false alarm
Sequences that only fill up the batch are masked on purpose and don't change a mean over timesteps, and neither do
sequences in which nothing was masked for the model to guess: both are an info. A length of 0 for a sequence with
content is a warning.

## Threads
pytorch#4582, pytorch#11514, pytorch#80605, pytorch PR#1013, tensorflow#36139, keras PR#2541, keras PR#11643
"""

import numpy as np

from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.fixes import BY_LENGTH, REDUCE, WEIGHTS, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import ends
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import content_end, true_end

__all__ = ["RULE"]

_OTHERS = Line(
    REDUCE,
    "counts = tf.reduce_sum(weights, 1)\n"
    "means = tf.math.divide_no_nan(tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0), 1), counts)\n"
    "loss = tf.reduce_sum(means) / tf.reduce_sum(tf.cast(counts != 0, tf.float32))",
    "counts = weights.sum(1)\n"
    "means = torch.where(weights != 0, losses * weights, 0.0).sum(1) / counts.where(counts != 0, 1.0)\n"
    "loss = means.sum() / (counts != 0).sum()",
    "counts = weights.sum(1)\n"
    "means = jnp.where(weights != 0, losses * weights, 0.0).sum(1) / jnp.where(counts != 0, counts, 1.0)\n"
    "loss = means.sum() / (counts != 0).sum()",
).saying("over the sequences that count")


def _check(case: Case) -> Found | None:
    counts = case.mask
    empty = np.asarray(~counts.any(axis=1))
    if not empty.any() or empty.all():
        return None
    weights, losses = case.analysis.weights, case.analysis.unpadded_loss
    with np.errstate(all="ignore"):
        means = losses.sum(axis=1)[~empty] / weights.sum(axis=1)[~empty]
    cut_off = _cut_off(case, empty)
    sequences, some, mean = len(empty), int(empty.sum()), float(means.sum())
    if _printed_nan(case):
        return _nan(case, empty, mean / (sequences - some))
    return Found(
        message=f"{some} of {sequences} sequences {'has' if some == 1 else 'have'} no timestep that counts"
        f"{_though(int(cut_off.sum()), some)}: the mean of the per-sequence means is {number_text(mean / sequences)} "
        f"over all sequences and {number_text(mean / (sequences - some))} over the others.",
        cells=np.repeat(empty[:, None], counts.shape[1], axis=1),
        evidence={
            "empty sequences": some,
            "sequences": sequences,
            "mean over all": mean / sequences,
            "mean over the others": mean / (sequences - some),
        },
        fix=written([ends(case), BY_LENGTH] if cut_off.any() else [WEIGHTS, _OTHERS], case.analysis),
        repaired=(lambda: _filled(case, cut_off)) if cut_off.any() else None,
        severity=_severity(case, cut_off),
    )


def _printed_nan(case: Case) -> bool:
    """Whether the loop printed NaN, and no loss is NaN that could have made it one."""
    printed = case.batch.reported
    return printed is not None and np.isnan(float(printed)) and bool(np.isfinite(case.loss[case.in_range]).all())


def _nan(case: Case, empty: np.ndarray, over_others: float) -> Found:
    rows = np.flatnonzero(empty).tolist()
    named = ", ".join(map(str, rows[:4])) + (" …" if len(rows) > 4 else "")
    return Found(
        message=f"The loop that printed {case.batch.reported} averages each sequence, and nothing counts in "
        f"{'sequence' if len(rows) == 1 else 'sequences'} {named}: 0 / 0 is NaN. Over the other sequences, the mean of "
        f"the means is {number_text(over_others)}.",
        cells=np.repeat(empty[:, None], case.shape[1], axis=1),
        printed=str(case.batch.reported),
        evidence={"printed": str(case.batch.reported), "empty sequences": len(rows), "sequences": len(empty)},
        fix=written([WEIGHTS, _OTHERS], case.analysis),
        loss_if_fixed=over_others,
        severity="error",
    )


def _though(cut_off: int, empty: int) -> str:
    """A clause about the sequences with content whose length is 0."""
    if cut_off in (0, empty):
        return "" if not cut_off else f", although {'it is' if empty == 1 else 'they are'} not empty"
    return f", although {cut_off} of them {'is' if cut_off == 1 else 'are'} not empty"


def _cut_off(case: Case, empty: np.ndarray) -> np.ndarray:
    """The sequences whose length is 0 although they have content, [B]."""
    if case.batch.pad_id is None or case.analysis.mask_name != "lengths":
        return np.zeros(len(empty), bool)
    cut_off: np.ndarray = empty & (content_end(case) > 0)
    return cut_off


def _filled(case: Case, cut_off: np.ndarray) -> Batch:
    return case.batch.replace(lengths=np.where(cut_off, true_end(case), case.mask.sum(axis=1)))


def _severity(case: Case, cut_off: np.ndarray) -> str:
    if not np.isfinite(case.analysis.value).all() and np.isfinite(case.loss[case.mask]).all():
        return "error"
    return "warning" if cut_off.any() or case.analysis.means_of == "sequences" else "info"


RULE = Rule(
    code="PAD10",
    name="empty-sequence",
    severity="warning",
    doc=__doc__ or "",
    check=_check,
    phase="sequences",
)
"""Every sequence has something to learn."""
