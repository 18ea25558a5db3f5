"""Padding counts: nothing takes it out of the loss.

## What it checks
Where a batch has no weights, lengths, ignore id or pad id: whether at least two sequences end, or start, in runs of one
id, which hardly occurs elsewhere. One that is neither 0 nor called an end or a pad by the vocabulary or `eos_id` must
occur nowhere else, in runs of several lengths. Where a batch has a mask: whether no mask was chosen instead, or
whether the loop printed the mean of all B·T positions, which is an error.

## Why it matters
Padding is in the numerator and in the divisor. It is learnt first, so the loss looks better than it is, and the longer
the padding, the better.

## Example
The golden batch without its lengths costs 0.9667 nats over 15 timesteps instead of 1.2545 over the 11 that are real.

## How to fix
Say which timesteps are real: their lengths, weights, or an ignore id in the labels.

## When it is a false alarm
Texts that really end in repetitions of that token. Chunks of running text have no padding, and early in training
padding costs as much as words, so that the number does not show it. A mask that broadcasts in `masked_select` (RED07)
prints the same number.

## Threads
Kyubyong/transformer#63, axolotl PR#2227, gpt-neo PR#45, BERT-NER#3, grounded-video-description#11, transformers PR#251,
transformers PR#7828
"""

from dataclasses import replace

import numpy as np

from lossviz.fixes import BY_LENGTH, WEIGH, Line, fix_of, written
from lossviz.rules._core.case import Case
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
    if case.analysis.mask_name != "none" or case.batch.declared_mask != "none":
        return None if case.lacks(("reported",)) else found_in_number(case, "PAD01", cells=padding, severities=_PRINTED)
    for backwards in (True, False):
        for value in _candidates(case, backwards=backwards):
            runs = _runs(case.targets == value, backwards=backwards)
            if _is_padding(case, value, runs):
                return _found(case, value, runs, backwards=backwards)
    return None


def _unmasked(case: Case) -> Found | None:
    """Where the mask that the batch declares was left out."""
    declared = case.analysis.with_settings(replace(case.analysis.settings, mask=None))
    cells = case.counts & ~declared.mask
    if not cells.any():
        return None
    count = int(cells.sum())
    return Found(
        message=f"No mask is in use, while the batch says {case.batch.declared_mask}: {many(count, 'timestep')} of the "
        f"{cells.size:,} that count {'is' if count == 1 else 'are'} padding by that.",
        cells=cells,
        evidence={"timesteps of padding that count": count, "timesteps that count": cells.size},
        fix=fix_of(["PAD01"], declared),
        loss_if_fixed=float(declared.value) if declared.is_scalar else None,
    )


def _by_lengths(case: Case) -> Found:
    """Where every weight is 1, while the lengths say where the sequences end."""
    by_lengths = case.analysis.with_settings(replace(case.analysis.settings, mask="lengths"))
    cells = ~by_lengths.mask
    count = int(cells.sum())
    return Found(
        message=f"Every weight is 1, while {many(count, 'timestep')} of the {cells.size:,} lie beyond the end of their "
        "sequence: padding counts.",
        cells=cells,
        evidence={"timesteps of padding that count": count, "timesteps that count": cells.size},
        fix=fix_of(["PAD01"], by_lengths),
        loss_if_fixed=float(by_lengths.value) if by_lengths.is_scalar else None,
    )


def _candidates(case: Case, *, backwards: bool) -> list[int]:
    """The ids that end, or start, two sequences or more twice in a row; those that are known to be special first."""
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
    """Whether two sequences or more have runs of two or more, and the id is next to nowhere else.

    An id that nothing says is special must be nowhere else, and its runs of several lengths, in sequences of more.
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
    # The first of the ends at the end ends the sequence.
    cells = runs & (np.cumsum(runs, axis=1) > 1) if ends and backwards else runs
    count, rows = int(cells.sum()), int(cells.any(axis=1).sum())
    named = f"the id {value}" if case.batch.vocabulary is None else f"“{case.batch.token(value)}”"
    return Found(
        message=f"{many(rows, 'sequence')} {'end' if backwards else 'start'} in runs of {named}, "
        f"{many(count, 'timestep')} of {case.targets.size:,}: padding, it seems, and all of it counts.",
        cells=cells,
        evidence={"timesteps that look like padding": count, "timesteps": case.targets.size, "sequences": rows},
        fix=_fix(case, value, runs, first=ends and backwards),
        repaired=lambda: case.batch.replace(weights=~cells, pad_id=value),
    )


def _fix(case: Case, value: int, runs: Array, *, first: bool) -> dict[str, str]:
    """By the id; by length where it stands elsewhere too."""
    if ((case.targets == value) & ~runs).any():
        return written([BY_LENGTH.saying(f"not by the id {value} alone")], case.analysis)
    lines = Line(WEIGH, f"weights = tf.cast(targets != {value}, tf.float32)", f"weights = (targets != {value}).float()")
    if first:
        lines = Line(
            WEIGH,
            f"ends = tf.cast(targets == {value}, tf.int32)\n"
            "weights = tf.cast(tf.cumsum(ends, axis=1, exclusive=True) == 0, tf.float32)",
            f"ends = (targets == {value}).long()\nweights = (ends.cumsum(1) - ends == 0).float()",
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
