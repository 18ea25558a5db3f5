"""The decoder's inputs are the targets rolled by one: each sequence starts with its own last token.

## What it checks
Whether the inputs are the targets one timestep earlier, and the first input is whatever the last timestep holds: the
last target in full sequences, the pad id in padded ones.

## Why it matters
`np.roll` is not a shift: the model sees the last token before it starts, and whether a sequence starts with padding
depends on its length.

## Example
Targets [5, 6, 1, 0]: the correct inputs are [go, 5, 6, 1], but `np.roll` gives [0, 5, 6, 1].

## How to fix
Put a start token before the targets, and drop the last one.

## When it is a false alarm
(m)BART starts with the last token on purpose, and T5 with the pad id. If all sequences start with their last target,
it is an info; if all start with the pad id, the rule can't tell.

## Threads
transformers#7961, transformers#9417, transformers PR#9134, transformers#20842, transformers PR#18985,
transformers#18249
"""

import numpy as np

from lossviz.fixes import SOURCE, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import content_end, pick

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    inputs, ends = case.batch.inputs, content_end(case)
    if inputs is None or case.shape[1] < 2 or not _is_shifted(case, inputs, ends):
        return None
    held = ends > 0
    starts, last = inputs[:, 0], pick(case.targets, ends - 1)
    if not held.any():
        return None
    # The padding's labels may have been replaced after the roll.
    wrapped, pad = case.targets[:, -1], case.batch.pad_id
    wrapped = wrapped if pad is None else np.where(wrapped == case.batch.ignore_id, pad, wrapped)
    rolled = np.array_equal(starts[held], wrapped[held])
    full = held & (ends == case.shape[1])
    padded = held & ~full & (starts == case.batch.pad_id)
    if rolled and padded.any() and full.any() and not (starts[full] == case.batch.pad_id).any():
        return _found(case, full, padded)
    if np.array_equal(starts[held], last[held]):
        return _own_last(case, held, starts)
    if rolled and padded.any() and not full.any():
        raise CannotTell(
            "Every sequence starts with the pad id, as in T5 on purpose, or after `np.roll` if all are padded: "
            "one sequence without padding would tell them apart."
        )
    return None


def _found(case: Case, full: Array, padded: Array) -> Found:
    return Found(
        message=f"The inputs are the targets rolled by one: {_sequences(int(full.sum()))} with the last target and "
        f"{_sequences(int(padded.sum()))} with the pad id {case.batch.pad_id}.",
        cells=_first(case, full | padded),
        evidence={"start with their last target": int(full.sum()), "start with the pad id": int(padded.sum())},
        fix=_fix(case),
    )


def _own_last(case: Case, held: Array, starts: Array) -> Found:
    count = int(held.sum())
    tokens = np.unique(starts[held])
    if count < 2:
        raise CannotTell("The only sequence starts with its own last target, which may be chance.")
    if tokens.size == 1:
        message = f"All {count} sequences start with “{case.batch.token(int(tokens[0]))}”, their last target, "
        message += "as in (m)BART, where this is intended."
    else:
        message = f"All {count} sequences start with their own last target ({tokens.size} different tokens): "
        message += "the model sees what it should predict last, as after `np.roll`, or on purpose as in (m)BART."
    return Found(
        message=message,
        cells=_first(case, held),
        evidence={"sequences": count, "different first inputs": int(tokens.size)},
        fix=_fix(case),
        severity="info",
    )


def _is_shifted(case: Case, inputs: Array, ends: Array) -> bool:
    inside = np.arange(1, case.shape[1]) < ends[:, None]
    return bool(inside.any() and (inputs[:, 1:] == case.targets[:, :-1])[inside].all())


def _first(case: Case, rows: Array) -> Array:
    cells = case.nothing.copy()
    cells[:, 0] = rows
    return cells


def _sequences(count: int) -> str:
    return f"{count} sequence starts" if count == 1 else f"{count} sequences start"


def _fix(case: Case) -> dict[str, str]:
    """A start token, then the targets; ignore ids are replaced, since the model can't read them."""
    lines = [
        Line(
            SOURCE,
            "inputs = tf.pad(targets[:, :-1], [[0, 0], [1, 0]], constant_values=go_id)",
            "inputs = F.pad(targets[:, :-1], (1, 0), value=go_id)",
            "inputs = jnp.pad(targets[:, :-1], ((0, 0), (1, 0)), constant_values=go_id)",
        )
    ]
    if case.batch.ignore_id is not None and case.batch.pad_id is not None:
        read = f"inputs != {case.batch.ignore_id}, inputs, {case.batch.pad_id}"
        lines += [Line(SOURCE, *(f"inputs = {module}.where({read})" for module in ("tf", "torch", "jnp")))]
    return written(lines, case.analysis)


RULE = Rule(
    code="SHF03",
    name="rolled-inputs",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="layout",
    needs=("inputs", "logits"),
)
"""Inputs start with a start token."""
