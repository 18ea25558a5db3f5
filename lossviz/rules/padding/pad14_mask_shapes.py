"""The masks of the sequences have different shapes.

## What it checks
Which part of its sequence each mask covers (all, the beginning, the end, a window, or pieces with holes), and which
sequences differ from the majority. It is a warning if some masks start one timestep later than the others after the
same token.

## Why it matters
A mask found by searching for a template fails on individual sequences, which then train the prompt, or only part of
the answer.

## Example
The weights [1, 1, 1, 0], [0, 0, 1, 1] and [0, 1, 0, 1] cover a beginning, an end, and pieces with holes.

## How to fix
Build the mask from token offsets or from the template's own assistant mask, never by searching ids after padding.

## When it is a false alarm
Multi-turn conversations have holes, and prompts differ, so this is an info. The rule stays silent if all masks have
the same shape, if weights alone determine how long the sequences are, or if one timestep of each sequence counts.

## Threads
trl PR#456, axolotl#2089, alpaca-lora PR#306
"""

from collections import Counter

import numpy as np

from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import content_end, many, pick

__all__ = ["RULE"]

Array = np.ndarray
SHAPES = {
    "full": ("covers its whole sequence", "cover their whole sequences"),
    "prefix": ("covers the beginning", "cover the beginning"),
    "suffix": ("covers the end", "cover the end"),
    "window": ("covers a part in between", "cover a part in between"),
    "holes": ("has holes", "have holes"),
}
_FIX = {  # from tokenizer.apply_chat_template
    "TensorFlow": "weights = tf.cast(assistant_masks[:, 1:], tf.float32)  # as targets = tokens[:, 1:]",
    "PyTorch": "weights = assistant_masks[:, 1:].float()  # as targets = tokens[:, 1:]",
    "JAX": "weights = assistant_masks[:, 1:].astype(jnp.float32)  # as targets = tokens[:, 1:]",
}


def _check(case: Case) -> Found | None:
    if case.analysis.mask_name not in ("weights", "ignore_id"):
        return None
    return _late(case) or _mixed(case)


def _mixed(case: Case) -> Found | None:
    shapes = shapes_of(case)
    tally = Counter(shape for shape in shapes if shape)
    if len(tally) < 2 or _is_ordinary(case, set(tally)):
        return None
    most = next(shape for shape in sorted(tally, key=lambda name: (-tally[name], list(SHAPES).index(name))))
    minority = np.array([bool(shape) and shape != most for shape in shapes])
    said = ", ".join(many(tally[name], *SHAPES[name]) for name in SHAPES if name in tally)
    return Found(
        message=f"The {sum(tally.values())} masks differ in shape: {said}.",
        cells=case.mask & minority[:, None],
        evidence={name: tally[name] for name in SHAPES if name in tally},
        fix=_FIX,
    )


def _is_ordinary(case: Case, shapes: set[str]) -> bool:
    """Whether one timestep of each sequence counts, or its beginning in a batch that does not declare its padding."""
    padded = case.batch.pad_id is None and case.analysis.mask_name == "weights" and shapes == {"full", "prefix"}
    return padded or bool((case.mask.sum(axis=1) <= 1).all())


def shapes_of(case: Case) -> list[str]:
    """Which part of its sequence each mask covers, one of `SHAPES`; "" if nothing counts.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 3, 4)), targets=[[1, 2, 3], [1, 2, 3]],
    ...                           weights=[[1, 1, 0], [1, 0, 1]])
    >>> shapes_of(Case(analyze(batch)))
    ['prefix', 'holes']
    """
    starts, ends = case.pad_head.sum(axis=1), content_end(case)
    return [_shape(row, int(a), int(b)) for row, a, b in zip(case.mask, starts, ends, strict=True)]


def _shape(counts: Array, start: int, end: int) -> str:
    places = np.flatnonzero(counts)
    if not places.size:
        return ""
    first, last = int(places[0]), int(places[-1]) + 1
    if last - first != places.size:
        return "holes"
    if first <= start + (start > 0):  # left padding may be followed by a start token, which is not trained
        return "full" if last >= end else "prefix"
    return "suffix" if last >= end else "window"


def _late(case: Case) -> Found | None:
    """Find masks that start one timestep late: most start right after one token, these one later."""
    starts = np.where(case.mask.any(axis=1), case.mask.argmax(axis=1), -1)
    asked = case.targets if case.batch.ignore_id is None or case.batch.inputs is None else case.batch.inputs
    offset = 0 if asked is case.targets else 1
    before, earlier = pick(asked, starts - 1 + offset), pick(asked, starts - 2 + offset)
    known = starts - 1 + offset >= 0
    tally = Counter(before[known & (starts > 0)].tolist())
    if not tally:
        return None
    token, agreeing = tally.most_common(1)[0]
    late = (starts > 1) & (before != token) & (earlier == token)
    by_chance = len(starts) * float(case.shape[2] or case.analysis.classes) ** (1 - agreeing)
    if not late.any() or agreeing < 0.8 * known.sum() or by_chance > 1e-4:
        return None
    return _found_late(case, token, agreeing, late, starts)


def _found_late(case: Case, token: int, agreeing: int, late: Array, starts: Array) -> Found:
    cells = late[:, None] & (np.arange(case.shape[1]) == starts[:, None] - 1)
    count = int(late.sum())
    return Found(
        message=f"{many(count, 'mask starts', 'masks start')} one timestep late: the other {agreeing} start right "
        f"after “{case.batch.token(token)}”.",
        cells=cells,
        evidence={"masks that start late": count, "masks that start in time": agreeing},
        fix=_FIX,
        severity="warning",
    )


RULE = Rule(
    code="PAD14",
    name="mask-shapes",
    severity="info",
    doc=__doc__ or "",
    check=_check,
    phase="shape",
    requires=("PAD04",),
)
"""All masks in a batch are built the same way."""
