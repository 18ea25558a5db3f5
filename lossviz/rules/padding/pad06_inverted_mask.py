"""The mask is inverted: padding counts and the sequences don't.

## What it checks
Whether, in padded sequences, all the padding counts and the real timestep next to it does not, by the weights, or
because the labels keep the pad ids and ignore the rest. Without a pad id, the lengths define the padding: the weights
are 0 within all of them, and nowhere else. If the mask is correct: whether the number that the training loop printed
is the one such a mask would give.

## Why it matters
The model learns to predict padding, which is easy: the loss falls quickly, and the model learns nothing.

## Example
With its mask inverted, the golden batch gives 0.7 / 4 = 0.175 instead of 13.8 / 11 = 1.2545.

## How to fix
Use 1 − mask. In PyTorch, `key_padding_mask` is True where a timestep is ignored, but the boolean mask of
`scaled_dot_product_attention` is True where it is kept.

## When it is a false alarm
Without padding in the batch the rule can't tell, and stays silent.

## Threads
x-transformers#160, torchTextClassifiers PR#92, LLMs-from-scratch#1061, pytorch#34908, sockeye#200, sockeye PR#203
"""

import numpy as np

from lossviz.fixes import CHANGE, by_condition, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import content_end, many, pad_may_be_eos, pick, tail

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    if case.analysis.mask_name == "ignore_id" and case.batch.pad_id is not None:
        return _ignored(case)
    by_length = case.within_length
    if case.batch.pad_id is None and by_length is not None and _is_complement(case, by_length):
        short = np.asarray(case.mask.any(axis=1))
        return _found(case, case.mask, short)
    missing = case.missing(("pad_id", "weights"))
    if missing:
        raise CannotTell(missing)
    if case.analysis.mask_name != "weights" or (by_length is not None and np.array_equal(case.mask, by_length)):
        return None
    pads = tail(case) | case.pad_head
    padded = pads.any(axis=1) & ~pads.all(axis=1)
    inverted = _inverted(case, padded)
    if not padded.any() or inverted.sum() < 0.8 * padded.sum():
        return None
    return _found(case, pads, padded, inverted)


def _is_complement(case: Case, by_length: Array) -> bool:
    """Whether exactly the timesteps after the lengths count; left-padded sequences of length T / 2 look the same."""
    halves = bool((2 * by_length.sum(axis=1) == case.shape[1]).all())
    some = bool(by_length.any(axis=1).all() and not by_length.all())
    return case.analysis.mask_name == "weights" and some and not halves and np.array_equal(case.mask, ~by_length)


def _found(case: Case, pads: Array, padded: Array, inverted: Array | None = None) -> Found:
    inverted = padded if inverted is None else inverted
    trained = case.mask & pads
    count, weights = int(trained.sum()), case.analysis.weights
    return Found(
        message=f"{many(count, 'pad counts', 'pads count')} and the timesteps next to them don't, in "
        f"{int(inverted.sum())} of {many(int(padded.sum()), 'padded sequence')}: "
        f"{100 * weights[trained].sum() / weights.sum():.0f} % of the weight lies on padding.",
        cells=trained,
        evidence={
            "pads that count": count,
            "padded sequences": int(padded.sum()),
            "of them inverted": int(inverted.sum()),
            "share of the weight on padding": float(weights[trained].sum() / weights.sum()),
        },
        fix=written([by_condition("weights == 0", CHANGE)], case.analysis),
        repaired=lambda: case.batch.replace(weights=case.batch.weights == 0),
    )


def _ignored(case: Case) -> Found | None:
    """The same bug in the labels: the pad ids are kept, and everything else is ignored."""
    run = case.pad_tail.sum(axis=1)
    padded = (run > 0) & (run < case.shape[1])
    if (case.mask & ~case.is_pad).any():  # the ignored labels may be padding, and the pad id a tag
        return None
    inverted = padded & case.mask[:, -1]
    if run[padded].max(initial=0) < 1 + pad_may_be_eos(case) or inverted.sum() < 0.8 * padded.sum():
        return None
    trained, pad, ignore = case.mask & case.pad_tail, case.batch.pad_id, case.batch.ignore_id
    count = int(trained.sum())
    return Found(
        message=f"{many(count, 'pad counts', 'pads count')} and everything else is ignored, in "
        f"{int(inverted.sum())} of {many(int(padded.sum()), 'padded sequence')}: "
        "the real labels were replaced instead of the pads.",
        cells=trained,
        evidence={
            "pads that count": count,
            "padded sequences": int(padded.sum()),
            "of them inverted": int(inverted.sum()),
            "share of the weight on padding": float(trained.sum() / case.mask.sum()),
        },
        fix={
            library: f"targets = tokens[:, 1:]\n"
            f"targets = {module}.where(targets != {pad}, targets, {ignore})  # not targets == {pad}"
            for library, module in (("TensorFlow", "tf"), ("PyTorch", "torch"), ("JAX", "jnp"))
        },
    )


def _inverted(case: Case, padded: Array) -> Array:
    """The sequences whose padding counts and whose adjacent real timestep does not, [B].

    The first pad may really be the end of the sequence, so that inverting the mask turned its weight from 1 to 0.
    """
    end, start = content_end(case)[:, None], case.pad_head.sum(axis=1)
    counts, pads, places = case.mask.astype(int), tail(case), np.arange(case.shape[1])
    surely = places >= end + pad_may_be_eos(case)
    left_out = (pads & ~case.mask & surely).any(axis=1)
    after = (pads & case.mask).any(axis=1) & ~left_out & (pick(counts, end[:, 0] - 1) == 0)
    before = case.pad_head.any(axis=1) & ~(case.pad_head & ~case.mask).any(axis=1) & (pick(counts, start) == 0)
    beside: Array = padded & (after | before | _with_start(case, start))
    return beside


def _with_start(case: Case, start: Array) -> Array:
    """Sequences where only the left padding and a start token after it count, [B]; at least two, or none."""
    padding_and_start = case.pad_head | (np.arange(case.shape[1]) == start[:, None])
    alike: Array = (case.mask == padding_and_start).all(axis=1) & (start > 0)
    return alike if alike.sum() > 1 else np.zeros_like(alike)


RULE = Rule(
    code="PAD06",
    name="inverted-mask",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="inversion",
    checks_reported=True,
)
"""The mask is 1 where a timestep counts."""
