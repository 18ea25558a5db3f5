"""The lengths are impossible for these sequences.

## What it checks
Whether a length is negative, above T or fractional; whether all lengths are between 0 and 1, relative to the longest
sequence; and whether all are T although sequences end in padding.

## Why it matters
Nothing rejects them: `tf.sequence_mask` clips a length above T, treats a negative one as 0 and drops fractions, so the
relative length 0.5 trains nothing; lengths that all equal T mask nothing.

## Example
`tf.sequence_mask([5, 2], 4)` is [1 1 1 1], [1 1 0 0]; `tf.sequence_mask([-1], 4)` is all False; the relative lengths
[1.0, 0.5] cast to integers are 1 and 0 timesteps.

## How to fix
Assert that lengths are between 0 and T; multiply relative lengths by T and round.

## When it is a false alarm
Sequences of one timestep each, and chunks of constant length without padding, legitimately have such lengths and are
not reported. A single pad id at the end may be a real token.

## Threads
pytorch#146744, speechbrain#1129, speechbrain#1494, speechbrain#1044, tensorflow/nmt#210
"""

import numpy as np

from lossviz.fixes import BY_LENGTH, SOURCE, Line, written
from lossviz.masking import impossible_rows
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import ends
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import content_end, is_packed, many, may_be_words, tail, true_end

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    lengths = case.batch.lengths
    if lengths is None:
        return None
    if case.shape[1] > 2 and 0 < lengths.max() <= 1 and lengths.min() >= 0 and _relative(case, lengths):
        return _as_relative(case, lengths)
    rows = impossible_rows(case.batch)[:, 0]
    return _impossible(case, lengths, rows) if rows.any() else _all_whole(case, lengths)


def _relative(case: Case, lengths: Array) -> bool:
    if (lengths != np.trunc(lengths)).any():
        return True
    if case.batch.pad_id is None:
        raise CannotTell(
            "Every length is 0 or 1: single timesteps, or relative lengths. Declare `pad_id` to tell them apart."
        )
    return bool((content_end(case) > 1)[lengths == 1].all())


def _as_relative(case: Case, lengths: Array) -> Found:
    timesteps = case.shape[1]
    meant = np.round(lengths * timesteps).astype(int)
    return Found(
        message=f"Every length is at most 1, but there are {timesteps} timesteps: relative lengths, which count "
        f"{many(int(case.within_length.sum()), 'timestep')} instead of {meant.sum():,}." + _unused(case),  # type: ignore[union-attr]
        cells=np.arange(timesteps) < meant[:, None],
        evidence={"longest length": float(lengths.max()), "timesteps": timesteps},
        fix=_fix(case, relative=True),
        repaired=lambda: case.batch.replace(lengths=meant),
        severity=_severity(case),
    )


def _impossible(case: Case, lengths: Array, rows: Array) -> Found:
    timesteps, count = case.shape[1], int(rows.sum())
    named = ", ".join(f"{lengths[row]:.15g} (sequence {row})" for row in np.flatnonzero(rows)[:4])
    named += " …" if count > 4 else ""
    meant = _meant(case, lengths, rows)
    return Found(
        message=f"{many(count, 'length is', 'lengths are')} impossible for {many(timesteps, 'timestep')}: {named}."
        + _unused(case),
        cells=np.repeat(rows[:, None], timesteps, axis=1),
        evidence={"impossible lengths": count, "smallest": float(lengths.min()), "largest": float(lengths.max())},
        fix=_fix(case),
        repaired=None if meant is None else lambda: case.batch.replace(lengths=meant),
        severity=_severity(case),
    )


def _meant(case: Case, lengths: Array, rows: Array) -> Array | None:
    """The lengths probably intended: to the end of the content, else clipped to T; None if one is unknown."""
    if case.batch.pad_id is not None:
        return np.where(rows, true_end(case), lengths).astype(int)
    return None if (lengths < 0).any() else np.minimum(np.round(lengths), case.shape[1]).astype(int)


def _all_whole(case: Case, lengths: Array) -> Found | None:
    timesteps, cells = case.shape[1], tail(case) & case.is_pad
    if case.analysis.mask_name != "lengths" or (lengths != timesteps).any() or (cells.sum(axis=1) < 2).all():
        return None
    if is_packed(case) or may_be_words(case, cells):
        return None
    ends = true_end(case)
    cells = np.arange(timesteps) >= ends[:, None]
    rows, count = int(cells.any(axis=1).sum()), int(cells.sum())
    return Found(
        message=f"Every length is {timesteps}, the full width, although {many(rows, 'sequence ends', 'sequences end')} "
        f"in padding: {many(count, 'pad is', 'pads are')} trained.",
        cells=cells,
        evidence={"pads that count": count, "sequences that end in padding": rows},
        fix=_fix(case),
        repaired=lambda: case.batch.replace(lengths=ends),
    )


def _unused(case: Case) -> str:
    in_use = case.analysis.mask_name
    return "" if in_use == "lengths" else f" The mask in use is {in_use!r}, so the number is unaffected."


def _severity(case: Case) -> str:
    return "error" if case.analysis.mask_name == "lengths" else "warning"


def _fix(case: Case, *, relative: bool = False) -> dict[str, str]:
    """The intended lengths, or, if nothing determines them, an assertion of their range."""
    timesteps = case.shape[1]
    if relative:
        lengths = Line(
            SOURCE,
            f"lengths = tf.cast(tf.round(lengths * {timesteps}), tf.int32)",
            f"lengths = (lengths * {timesteps}).round().long()",
            f"lengths = (lengths * {timesteps}).round().astype(int)",
        )
    elif case.batch.pad_id is not None:
        lengths = ends(case)
    elif case.batch.lengths is not None and (case.batch.lengths < 0).any():
        lengths = Line(
            SOURCE,
            f"assert tf.reduce_all((lengths >= 0) & (lengths <= {timesteps}))",
            *2 * (f"assert ((lengths >= 0) & (lengths <= {timesteps})).all()",),
        )
    else:
        lengths = Line(
            SOURCE,
            f"lengths = tf.minimum(tf.cast(tf.round(lengths), tf.int32), {timesteps})",
            f"lengths = lengths.round().long().clamp(max={timesteps})",
            f"lengths = lengths.round().astype(int).clip(max={timesteps})",
        )
    return written([lengths, BY_LENGTH], case.analysis)


RULE = Rule(code="PAD09", name="impossible-lengths", severity="error", doc=__doc__ or "", check=_check, phase="values")
"""Lengths are whole numbers from 0 to T, and end where the sequences do."""
