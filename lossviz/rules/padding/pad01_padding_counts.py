"""Padding counts: nothing removes it from the loss.

## What it checks
If the batch has no weights, lengths or pad id, and no target is the ignore id: whether at least two sequences end, or
start, in runs of one id that hardly occurs elsewhere. An id that is neither 0 nor marked as an end or a pad by the
vocabulary or `eos_id` must occur nowhere else, in runs of different lengths. If the batch declares a mask: whether it
is switched off, whether all weights are 1 although the lengths are shorter, whether the inputs of a tagger end in pad
ids and the labels beside them count, or whether the training loop printed the mean over all B·T positions, which is
an error.

## Why it matters
Padding is in both the numerator and the divisor. It is learned first, so the loss looks better than it is, and the
more padding, the better it looks.

## Example
Without its lengths, the golden batch gives 0.9667 nats over 15 timesteps instead of 1.2545 over the 11 real ones.

## How to fix
Declare which timesteps are real: by lengths, by weights, or by an ignore id in the labels.

## When it is a false alarm
Texts that really end in repetitions of that token. Chunks of running text have no padding; early in training padding
costs as much as words, so the number does not reveal it. A mask that broadcasts in `masked_select` (RED07) gives the
same number.

## Threads
Kyubyong/transformer#63, axolotl PR#2227, gpt-neo PR#45, BERT-NER#3, grounded-video-description#11, transformers PR#251,
transformers PR#7828
"""

from dataclasses import replace

import numpy as np

from lossviz.fixes import BY_LENGTH, WEIGH, Line, by_condition, fix_of, written
from lossviz.identification import read_printed
from lossviz.rules._core.case import Case
from lossviz.rules._core.padded_inputs import padding_that_counts
from lossviz.rules._core.printed_number import WRONG_MASK, found_in_number, padding
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import many, weighs_everything

__all__ = ["RULE"]

Array = np.ndarray
_PRINTED = {"PAD01": "error", "C02": "error", "C04": "error"}
_NAMES = {"<pad>", "[pad]", "<|pad|>", "pad", "</s>", "<eos>", "<|endoftext|>", "<blank>"}


def _check(case: Case) -> Found | None:
    if case.analysis.mask_name == "none" != case.batch.declared_mask:
        return _unmasked(case)
    if weighs_everything(case):
        return _by_lengths(case)
    if padding_that_counts(case).any():
        return _by_inputs(case, padding_that_counts(case))
    if not _masks_nothing(case):
        return None if case.lacks(("reported",)) else found_in_number(case, "PAD01", cells=padding, severities=_PRINTED)
    for backwards in (True, False):
        for value in _candidates(case, backwards=backwards):
            runs = _runs(case.targets == value, backwards=backwards)
            if _is_padding(case, value, runs):
                return _found(case, value, runs, backwards=backwards)
    return None


def _masks_nothing(case: Case) -> bool:
    """Whether nothing was declared, or only an ignore id that no target has: −100 is PyTorch's default."""
    if case.analysis.mask_name == "none" == case.batch.declared_mask:
        return True
    only = case.batch.pad_id is None and case.batch.weights is None and case.batch.lengths is None
    return only and case.analysis.mask_name == "ignore_id" and not (case.targets == case.batch.ignore_id).any()


def _unmasked(case: Case) -> Found | None:
    """Report that the mask declared by the batch is switched off."""
    declared = case.analysis.with_settings(replace(case.analysis.settings, mask=None))
    cells = case.mask & ~declared.mask
    if not cells.any():
        return None
    count = int(cells.sum())
    return Found(
        message=f"No mask is in use, although the batch declares {case.batch.declared_mask}: by that mask, "
        f"{count:,} of the {many(cells.size, 'timestep')} that count {'is' if count == 1 else 'are'} padding.",
        cells=cells,
        evidence={"timesteps of padding that count": count, "timesteps that count": cells.size},
        fix=fix_of(["PAD01"], declared),
        loss_if_fixed=float(declared.value) if declared.is_scalar else None,
    )


def _by_lengths(case: Case) -> Found:
    """Report that every weight is 1 although the lengths are shorter."""
    by_lengths = case.analysis.with_settings(replace(case.analysis.settings, mask="lengths"))
    cells = ~by_lengths.mask
    count = int(cells.sum())
    return Found(
        message=f"Every weight is 1, although {count:,} of the {many(cells.size, 'timestep')} "
        f"{'is beyond the end of its' if count == 1 else 'are beyond the end of their'} sequence: padding counts.",
        cells=cells,
        evidence={"timesteps of padding that count": count, "timesteps that count": cells.size},
        fix=fix_of(["PAD01"], by_lengths),
        loss_if_fixed=float(by_lengths.value) if by_lengths.is_scalar else None,
    )


def _by_inputs(case: Case, cells: Array) -> Found:
    """Report that the inputs end in pad ids, and the labels beside them count."""
    count, pad = int(cells.sum()), case.batch.pad_id
    printed = case.batch.reported
    proven = (
        printed is not None and case.analysis.is_scalar and read_printed(printed).is_hit(float(case.analysis.value))
    )
    loop = f", and the loop that printed {printed} counts them" if proven else " and counts"
    line = by_condition(f"inputs != {pad}")
    return Found(
        message=f"{many(int(cells.any(axis=1).sum()), 'sequence')} of inputs "
        f"{'start' if cells[:, 0].any() else 'end'} in the pad id {pad}: {count:,} of {many(cells.size, 'label')} "
        f"{'is' if count == 1 else 'are'} padding{loop}.",
        cells=cells,
        evidence={"timesteps of padding that count": count, "timesteps that count": int(case.mask.sum())},
        fix=written([line], case.analysis),
        repaired=lambda: case.batch.replace(weights=np.where(cells, 0.0, case.analysis.weights)),
        severity="error" if proven else None,
    )


def _candidates(case: Case, *, backwards: bool) -> list[int]:
    """The ids that end, or start, at least two sequences twice in a row; known special ids come first."""
    edge = case.targets[:, -2:] if backwards else case.targets[:, :2]
    ids, rows = np.unique(edge[(edge == edge[:, :1]).all(axis=1), 0], return_counts=True)
    return sorted(ids[rows > 1].tolist(), key=lambda value: not _is_named(case, value))


def _is_named(case: Case, value: int) -> bool:
    return value == 0 or value == case.batch.eos_id or case.batch.token(value).lower() in _NAMES


def _runs(same: Array, *, backwards: bool) -> Array:
    turned = same[:, ::-1] if backwards else same
    run = np.logical_and.accumulate(turned, axis=1)
    runs: Array = run[:, ::-1] if backwards else run
    return runs


def _is_padding(case: Case, value: int, runs: Array) -> bool:
    """Whether at least two sequences have runs of two or more of the id, which hardly occurs elsewhere.

    An id that nothing marks as special must occur nowhere else, in runs of different lengths that don't fill a row.
    """
    lengths, inside = runs.sum(axis=1), ~runs
    elsewhere = int(((case.targets == value) & inside).sum())
    several = int((lengths > 1).sum()) > 1 and bool(inside.any(axis=1).sum() > 1)
    if _is_named(case, value):
        return several and elsewhere <= 0.02 * inside.sum()
    partial = lengths[inside.any(axis=1) & (lengths > 1)]
    return elsewhere == 0 and np.unique(partial).size > 1 and (int(partial.max()) > 3 or partial.size > 2)


def _found(case: Case, value: int, runs: Array, *, backwards: bool) -> Found:
    ends = value == case.batch.eos_id
    # The first end token of the run is the sequence's real end.
    cells = runs & (np.cumsum(runs, axis=1) > 1) if ends and backwards else runs
    count, rows = int(cells.sum()), int(cells.any(axis=1).sum())
    named = f"the id {value}" if case.batch.vocabulary is None else f"“{case.batch.token(value)}”"
    return Found(
        message=f"{many(rows, 'sequence')} {'end' if backwards else 'start'} in runs of {named} "
        f"({many(count, 'timestep')} of {case.targets.size:,}): this looks like padding, and all of it counts.",
        cells=cells,
        evidence={"timesteps that look like padding": count, "timesteps": case.targets.size, "sequences": rows},
        fix=_fix(case, value, runs, first=ends and backwards),
        repaired=lambda: case.batch.replace(weights=~cells, pad_id=value),
    )


def _fix(case: Case, value: int, runs: Array, *, first: bool) -> dict[str, str]:
    """Mask by the id, or by length if the id also occurs elsewhere."""
    if ((case.targets == value) & ~runs).any():
        return written([BY_LENGTH.saying(f"not by the id {value} alone")], case.analysis)
    lines = by_condition(f"targets != {value}")
    if first:
        lines = Line(
            WEIGH,
            f"ends = tf.cast(targets == {value}, tf.int32)\n"
            "weights = tf.cast(tf.cumsum(ends, axis=1, exclusive=True) == 0, tf.float32)",
            f"ends = (targets == {value}).long()\nweights = (ends.cumsum(1) - ends == 0).float()",
            f"ends = (targets == {value}).astype(int)\nweights = (ends.cumsum(1) - ends == 0).astype(jnp.float32)",
        ).saying(f"the first {value} ends the sequence")
    return written([lines], case.analysis)


RULE = Rule(
    code="PAD01",
    name="padding-counts",
    severity="warning",
    doc=__doc__ or "",
    check=_check,
    requires=WRONG_MASK,
)
"""Padding is masked."""
