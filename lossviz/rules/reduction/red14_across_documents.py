"""The last timestep of a packed document must predict the first token of the next one.

## What it checks
Whether the target of a timestep that counts is in another document than its input: by `segment_ids`, or, without them,
after an end of sequence inside a row.

## Why it matters
Nothing in a document tells how the next one begins: such timesteps have a high loss and teach nothing.

## Example
Tokens [0, 1, 2, A, B, C] are two documents: the labels of the second must start with an ignored one, [.., −100, B, C].

## How to fix
Set the weight of the first token of each document to 0, or its label to the ignore id.

## When it is a false alarm
Language models are often trained across documents on purpose, so without `segment_ids` it is an info. If each document
ends with its own end of sequence as a target, nothing crosses.

## Threads
transformers#25452, transformers PR#31629, bionemo-recipes PR#1449, trl#3692
"""

import numpy as np

from lossviz.fixes import WEIGHTS, both, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import select
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import many, with_counts

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    given = case.batch.segment_ids is not None
    cells = _crossings(case) if given else _after_an_end(case)
    if not cells.any():
        return None
    count = int(cells.sum())
    where = "of the next document" if given else "after an end of sequence"
    return Found(
        message=f"{many(count, 'timestep that counts', 'timesteps that count')} must predict the first token "
        f"{where}, at a mean loss of {case.loss[cells].mean():.4g} nats.",
        cells=cells,
        evidence={
            "timesteps": count,
            "rows": int(cells.any(axis=1).sum()),
            "mean loss there": float(case.loss[cells].mean()),
        },
        fix=_fix(case),
        repaired=lambda: with_counts(case, case.mask & ~cells),
        severity=None if given else "info",
    )


def _fix(case: Case) -> dict[str, str]:
    """Set the weight to 0 where the target is the next document's first token."""
    eos, pads = case.batch.eos_id, ("[[0, 0], [0, 1]]", "(0, 1)", "((0, 0), (0, 1))")
    crossing = "(segment_ids[:, 1:] != segment_ids[:, :-1])"
    if case.batch.segment_ids is None:
        crossing, pads = f"(targets[:, :-1] == {eos})", ("[[0, 0], [1, 0]]", "(1, 0)", "((0, 0), (1, 0))")
    elif case.batch.inputs is not None:
        crossing += " & (targets[:, :-1] == inputs[:, 1:])"
    elif eos is not None:
        crossing += f" & (targets[:, :-1] != {eos})"
    padded = select(f"tf.pad(crossing, {pads[0]})", f"F.pad(crossing, {pads[1]})", f"jnp.pad(crossing, {pads[2]})")
    return written([both(f"crossing = {crossing}"), WEIGHTS, padded], case.analysis)


def _crossings(case: Case) -> Array:
    """Where the next timestep belongs to another document and the target is its first token."""
    cells, segments, inputs = case.nothing.copy(), case.batch.segment_ids, case.batch.inputs
    if segments is None:
        return cells
    ends = segments[:, 1:] != segments[:, :-1]
    if inputs is not None:
        ends &= case.targets[:, :-1] == inputs[:, 1:]
    elif case.batch.eos_id is not None:
        ends &= case.targets[:, :-1] != case.batch.eos_id
    elif (ends & case.mask[:, :-1] & case.mask[:, 1:]).any():
        raise CannotTell(
            "Only `inputs` or `eos_id` can tell whether targets at the end of a document cross into the next."
        )
    cells[:, :-1] = ends & case.mask[:, :-1] & case.mask[:, 1:]
    return cells


def _after_an_end(case: Case) -> Array:
    cells, eos = case.nothing.copy(), case.batch.eos_id
    if eos is None or eos == case.batch.pad_id:
        return cells
    cells[:, 1:] = (case.targets[:, :-1] == eos) & case.mask[:, :-1] & case.mask[:, 1:] & ~case.is_pad[:, 1:]
    return cells


RULE = Rule(code="RED14", name="across-documents", severity="warning", doc=__doc__ or "", check=_check)
"""Targets stay within their document."""
