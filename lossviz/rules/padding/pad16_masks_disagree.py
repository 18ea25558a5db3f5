"""Lengths, weights and pad ids disagree about where sequences end.

## What it checks
Whether pads count after the end of a sequence or before its start, whether the lengths cut off a real timestep at the
end, or whether weights and lengths end a sequence at different places.

## Why it matters
One of the masks is wrong, and the loss, the metrics and the timestep counts may each use a different one.

## Example
Targets [5, 6, 1, 0] with length 4 and weights [1, 1, 1, 0]: the length disagrees at timestep 3.

## How to fix
Build one mask, once, and use it for the loss, the metrics and the counts.

## When it is a false alarm
Masked prompts and turns leave out real timesteps on purpose, so only the ends are examined, and for weights only
timesteps that they add. Labels may be padded with another id than the inputs, and a tagger's label may equal the pad
id: runs that such labels form by chance are not reported.

## Threads
Kyubyong/transformer#128, transformers#35909, torchtune#2792
"""

import numpy as np

from lossviz.batch import Batch
from lossviz.fixes import BY_LENGTH, SOURCE, WEIGHTS, Line, written
from lossviz.masking import length_mask
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import ends, select
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import (
    content,
    counted_end,
    eos_of,
    many,
    padding,
    tail,
    trained_padding,
    true_end,
    weighs_everything,
    with_counts,
)

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    if case.analysis.mask_name not in ("lengths", "weights") or weighs_everything(case):
        return None
    before, after, dropped = _trained_head(case), trained_padding(case), _dropped(case)
    trained = before | after
    disagree = _disagree(case) & ~trained
    if not (trained | dropped | disagree).any():
        return None
    numbers = {
        "pads that count": int(trained.sum()),
        "real timesteps that don't": int(dropped.sum()),
        "weights and lengths differ": int(disagree.sum()),
    }
    counts = (case.mask & ~trained) | dropped
    return Found(
        message=_message(case, *(int(cells.sum()) for cells in (before, after, dropped, disagree))),
        cells=trained | dropped | disagree,
        evidence=numbers,
        fix=_fix(case, counts),
        repaired=lambda: _agreeing(case, counts),
        severity=None if (trained | dropped).any() else "warning",
    )


def _fix(case: Case, counts: Array) -> dict[str, str]:
    """The intended mask: by length, without the pad id, or by the lengths found in the targets."""
    lengths, timesteps, pad = case.batch.lengths, case.shape[1], case.batch.pad_id
    if case.analysis.mask_name == "weights" and np.array_equal(counts, case.mask):
        return written([_AGREED], case.analysis)
    if lengths is not None and np.array_equal(length_mask(lengths, timesteps), counts):
        return written([BY_LENGTH], case.analysis)
    if np.array_equal(case.mask & ~case.is_pad, counts):
        return written([WEIGHTS, select(f"targets == {pad}")], case.analysis)
    return written([ends(case), BY_LENGTH], case.analysis)


_AGREED = Line(
    SOURCE, "lengths = tf.math.count_nonzero(weights, axis=1)", *2 * ("lengths = (weights != 0).sum(1)",)
).saying("how many count")


def _message(case: Case, before: int, after: int, dropped: int, disagree: int) -> str:
    parts = []
    if after:
        parts.append(f"{many(after, 'pad counts', 'pads count')}")
    if dropped:
        parts.append(f"{many(dropped, 'real timestep is', 'real timesteps are')} cut off")
    if disagree:
        parts.append(f"weights and lengths differ at {many(disagree, 'timestep')}")
    said = [f"{many(before, 'pad counts', 'pads count')} at the start of sequences"] if before else []
    said += [f"{' and '.join(parts)} at the end of sequences"] if parts else []
    sentence = "; ".join([*said, f"the mask in use is {case.analysis.mask_name!r}."])
    return f"{sentence[0].upper()}{sentence[1:]}"


def _trained_head(case: Case) -> Array:
    """Pads at the start of sequences that count, [B, T]; none if the pad id is also a word, or no sequence has two."""
    head = case.pad_head & padding(case)
    words = content(case) & case.is_pad & case.mask
    counted: Array = head & case.mask & ~tail(case)[:, -1:]
    return case.nothing if words.any() or (counted.sum(axis=1) < 2).all() else counted


def _dropped(case: Case) -> Array:
    """Real timesteps that the lengths in use cut off, [B, T]."""
    end, true = counted_end(case), true_end(case)
    chunks = (true == case.shape[1]).all() and (end == case.shape[1] - 1).all()
    if case.analysis.mask_name != "lengths" or case.batch.pad_id is None or chunks:
        return case.nothing
    places = np.arange(case.shape[1])
    cut: Array = (places >= end[:, None]) & (places < true[:, None]) & (end > 0)[:, None]
    return case.nothing if _is_other_filler(case, cut) else cut


def _is_other_filler(case: Case, cut: Array) -> bool:
    """Whether only one id, up to the last column, is cut off: labels padded with another id than the inputs."""
    filled, inputs = cut.any(axis=1), case.batch.inputs
    if inputs is not None and cut.any() and (inputs[cut] == case.batch.pad_id).all():
        return True
    ids = np.unique(case.targets[cut])
    several = cut.sum() > 1 or not case.is_pad.any()
    return bool(several and ids.size == 1 and ids[0] != eos_of(case) and cut[filled, -1].all())


def _disagree(case: Case) -> Array:
    """Where weights count beyond the length, or the length covers padding that the weights leave out, [B, T]."""
    lengths, timesteps, by_length = case.batch.lengths, case.shape[1], case.within_length
    if case.analysis.mask_name != "weights" or lengths is None or by_length is None:
        return case.nothing
    places = np.arange(timesteps)
    from_end = places >= timesteps - lengths[:, None]
    ends_full = ~tail(case)[:, -1]
    is_left = ends_full & ~(case.mask & ~from_end).any(axis=1) & (case.mask & ~by_length).any(axis=1)
    within = np.where(is_left[:, None], from_end, by_length)
    padded = (places >= true_end(case)[:, None]) & case.is_pad
    differ: Array = (case.mask & ~within) | (within & ~case.mask & padded)
    return differ


def _agreeing(case: Case, counts: Array) -> Batch:
    fixed = with_counts(case, counts)
    if case.analysis.mask_name == "lengths":
        return fixed
    return fixed.replace(lengths=None)


RULE = Rule(
    code="PAD16",
    name="masks-disagree",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="agreement",
)
"""One mask for everything."""
