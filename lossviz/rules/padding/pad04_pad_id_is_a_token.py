"""The pad id is also a real token.

## What it checks
Whether a pad id occurs inside a sequence, before its last real token. It is an error if the mask is built from the ids
and drops it, or if the printed number is the loss without it; it is an info if it counts.

## Why it matters
`mask = tf.sign(targets)` or `targets != 0` removes the real token from the loss wherever it occurs.

## Example
The golden batch has the pad id 0 as a real target at sequence 1, timestep 1: masked by id the loss is 1.29, masked by
length 1.2545.

## How to fix
Mask by length, `tf.sequence_mask(lengths, T)`, or shift all ids by 1 so that 0 is reserved for padding.

## When it is a false alarm
If an id separates documents or marks a blank on purpose and should not be trained, declare `segment_ids`. If the pad
id is also the end of sequence, weights that leave it out inside sequences are an info. Pad ids at the start are left
padding (PAD07). Without lengths, a real pad id at the end can't be told apart from padding.

## Threads
Kyubyong/transformer#128, keras#2062, gensim#1900, keras#7710, Element-Research/rnn#433, DCRNN#37
"""

import numpy as np

from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.fixes import BY_LENGTH, by_condition, written
from lossviz.identification import read_printed
from lossviz.rules._core.case import Case
from lossviz.rules._core.padded_inputs import real_by_inputs
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import between, eos_of, many, padding, with_counts

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    cells = case.is_pad & (~padding(case) | _within(case)) & ~_separates(case)
    lost = cells & ~case.mask & _by_id(case)
    if lost.any():
        return _lost(case, lost)
    kept = cells & case.mask
    return _kept(case, kept) if kept.any() and eos_of(case) != case.batch.pad_id else None


def _within(case: Case) -> Array:
    """Pad ids that are real by the lengths while the mask in use is built from the ids, [B, T]."""
    known = case.within_length is not None and case.analysis.mask_name == "nonpad"
    return case.nothing if case.within_length is None or not known else case.within_length & ~case.pad_head


def _by_id(case: Case) -> Array:
    """Where masks are built from the ids, [B, T]: from their first to their last 1, exactly the pad ids are 0.

    A tagger's inputs show where its sequences start and end; otherwise the mask itself does.
    """
    if case.analysis.mask_name == "nonpad":
        return ~case.nothing
    if case.analysis.mask_name != "weights":
        return case.nothing
    read = real_by_inputs(case)
    inside = read if read.any() else between(case)
    made_of_ids = (~inside | (case.mask != case.is_pad)).all(axis=1, keepdims=True)
    rows: Array = inside & made_of_ids
    return rows


def _separates(case: Case) -> Array:
    """Pad ids between two packed documents, [B, T]."""
    segments = case.batch.segment_ids
    if segments is None or case.shape[1] < 2:
        return case.nothing
    change = np.zeros(case.targets.shape, bool)
    change[:, 1:] |= segments[:, 1:] != segments[:, :-1]
    change[:, :-1] |= segments[:, 1:] != segments[:, :-1]
    return change


def _lost(case: Case, lost: Array) -> Found:
    count, pad = int(lost.sum()), case.batch.pad_id
    restored = with_counts(case, case.mask | lost).replace(pad_id=None)  # the weights now mark the padding
    drops = f"the mask, built from the ids, drops {'it' if count == 1 else 'them'}"
    right = _prints(case, restored)
    if right:
        drops = f"only a mask built from the ids drops {'it' if count == 1 else 'them'}: the loop that printed "
        drops += f"{case.batch.reported} counts {'it' if count == 1 else 'them'}"
    is_end = eos_of(case) == pad and case.analysis.mask_name == "weights"
    return Found(
        message=f"{many(count, 'timestep')} inside {many(int(lost.any(axis=1).sum()), 'sequence')} "
        f"{'has' if count == 1 else 'have'} the pad id {pad} as a real target, and {drops}.",
        cells=lost,
        evidence={"real timesteps lost": count},
        fix=_fix(case),
        repaired=lambda: restored,
        severity="info" if is_end or right else None,
    )


def _fix(case: Case) -> dict[str, str]:
    """By length; by the inputs where they are what shows the padding."""
    if case.batch.lengths is not None or not real_by_inputs(case).any():
        return written([BY_LENGTH], case.analysis)
    pad = case.batch.pad_id
    line = by_condition(f"inputs != {pad}")
    return written([line.saying(f"not targets != {pad}")], case.analysis)


def _prints(case: Case, batch: Batch) -> bool:
    """Whether the training loop printed the number of this batch rather than that of the mask in use."""
    if case.batch.reported is None or not case.analysis.is_scalar:
        return False
    now = case.analysis
    other = float(now.with_settings(now.settings.replace(mask=None), batch=batch).value)
    printed = read_printed(case.batch.reported)
    return printed.is_hit(other) and not printed.is_hit(float(now.value))


def _kept(case: Case, kept: Array) -> Found:
    count, now = int(kept.sum()), case.analysis
    evidence: dict[str, float | int | str] = {"real timesteps with the pad id": count}
    them, printed = "it" if count == 1 else "them", False
    end = f"a mask built from the ids would drop {them}"
    if now.is_scalar:
        by_id = _by_id_value(case, kept)
        evidence |= {"by the mask in use": float(now.value), "by id": by_id}
        end += f": {number_text(by_id)} instead of {number_text(now.value)}"
        printed = _is_printed(case, by_id)
    if printed:
        end = f"the printed {case.batch.reported} is the loss without {them}"
        end += f"; the loss with {them} is {number_text(now.value)}"
    return Found(
        message=f"{many(count, 'timestep that counts has', 'timesteps that count have')} the pad id "
        f"{case.batch.pad_id} as a real target; {end}.",
        cells=kept,
        evidence=evidence,
        fix=written([BY_LENGTH], case.analysis),
        loss_if_fixed=float(now.value) if printed else None,
        severity=None if printed else "info",
    )


def _by_id_value(case: Case, kept: Array) -> float:
    """The number of a training loop that drops these timesteps."""
    now = case.analysis
    dropped = case.batch.replace(weights=np.where(kept, 0, now.weights))
    return float(now.with_settings(now.settings.replace(mask="weights"), batch=dropped).value)


def _is_printed(case: Case, by_id: float) -> bool:
    """Whether the training loop printed the number without them rather than that of the mask in use."""
    if case.batch.reported is None:
        return False
    printed = read_printed(case.batch.reported)
    return printed.is_hit(by_id) and not printed.is_hit(float(case.analysis.value))


RULE = Rule(
    code="PAD04",
    name="pad-id-is-a-token",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="sequences",
    requires=(
        "PAD05",
        "PAD13",
    ),
    needs=("pad_id",),
)
"""Padding has an id of its own."""
