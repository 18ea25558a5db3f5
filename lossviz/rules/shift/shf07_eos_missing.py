"""Sequences lack their end-of-sequence token.

## What it checks
Whether the targets of padded sequences contain no end of sequence at all; and, separately, those of sequences without
padding, which may have been truncated.

## Why it matters
A model that never sees the end never stops.

## Example
Text [5, 6, 7, 8, 1] truncated to four timesteps: the targets are [5, 6, 7, 8], and the end 1 is lost.

## How to fix
Append the end before padding. When truncating, decide whether to keep the cut or to put the end in the last timestep.

## When it is a false alarm
Chunks of running text have no end, and many truncate on purpose: sequences without padding are an info. So is one
padded sequence in a batch that never uses the end, and a batch in which only the longest sequences lack theirs: they
were truncated at one length, and then padded to a round number. If a mask has holes, or the model reads on after the
last timestep that counts, that timestep need not be the end of the sequence, and the rule stays silent.

## Threads
transformers#19742, trl PR#4698, alpaca-lora#118, esm#157, axolotl PR#2287, DALM PR#56
"""

import numpy as np

from lossviz.batch import Batch
from lossviz.fixes import BY_LENGTH, SOURCE, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import between, content, content_end, counted_end, many, padding, with_counts
from lossviz.rules.shift._shifts import agreement

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    eos, pad = case.batch.eos_id, case.batch.pad_id
    if eos == pad:
        raise CannotTell(f"The pad id {pad} is also the end of sequence, so every padded sequence contains it.")
    if agreement(case, 0)[0] > 0.95:
        raise CannotTell("The targets equal the inputs, so their last token is cut off.")
    held = (content(case) & case.mask).any(axis=1)
    lacks = held & ~(case.targets == eos).any(axis=1) & ~_reads(case, eos)
    if not lacks.any():
        return None
    solid = not (between(case) & ~case.mask).any()
    short = held & (_shows_padding(case) | (solid & _ends_there(case)))
    if not solid and not (lacks & short).any():
        raise CannotTell("The mask has holes, so the last timestep that counts need not be the end of its sequence.")
    known = bool((held & ~lacks).any())
    unfinished, length = lacks & short, content(case).sum(axis=1)
    if pad is None or case.analysis.mask_name == "lengths":
        length = counted_end(case)
    cut = bool((length[unfinished] == length[held].max()).all())  # truncated at one limit, then padded further
    return _found(case, lacks, short, is_wrong=not cut and (unfinished.sum() > 1 or known))


def _reads(case: Case, eos: int | None) -> Array:
    """Sequences whose inputs, but not targets, contain the end, [B]; a start token with the same id does not count."""
    inputs = case.batch.inputs
    return np.zeros(case.shape[0], bool) if inputs is None else (inputs[:, 1:] == eos).any(axis=1)


def _shows_padding(case: Case) -> Array:
    """Sequences with a pad id at an end, in the targets or, where those are ignored, in the inputs, [B]."""
    masked = case.analysis.mask_name in ("lengths", "weights")
    shown: Array = (padding(case) & case.is_pad & ~(case.mask & masked)).any(axis=1)
    inputs, pad = case.batch.inputs, case.batch.pad_id
    if inputs is not None and pad is not None and case.shape[1] > 1:
        read = (inputs == pad) | (np.arange(case.shape[1]) <= counted_end(case)[:, None])
        shown = shown | ((inputs[:, -1] == pad) & read.all(axis=1))
    return shown


def _ends_there(case: Case) -> Array:
    """Sequences that end where they stop counting: afterwards the model reads at most one repeated id, [B]."""
    end, inputs = counted_end(case), case.batch.inputs
    if inputs is None:
        return end < case.shape[1]
    after = np.arange(case.shape[1]) > end[:, None]
    same: Array = (~after | (inputs == inputs[:, -1:])).all(axis=1)
    return same & (end < case.shape[1])


def _found(case: Case, lacks: Array, short: Array, *, is_wrong: bool) -> Found:
    eos = case.batch.eos_id
    cut, open_ended = int((lacks & ~short).sum()), int((lacks & short).sum())
    rows = lacks & short if is_wrong else lacks
    ends = counted_end(case)
    cells = (np.arange(case.shape[1]) == ends[:, None] - 1) & rows[:, None]
    room = rows & short & (content_end(case) < case.shape[1])
    end = f"end “{case.batch.token(int(eos or 0))}”"
    if is_wrong:
        message = f"{open_ended:,} of {many(int(short.sum()), 'padded sequence')} {_have(open_ended)} "
        message += f"no {end} among the targets: a model trained on them does not learn to stop."
    else:
        message = f"{many(int(lacks.sum()), 'sequence has', 'sequences have')} no {end}: "
        message += "truncated, or chunks of a longer text."
    return Found(
        message=message,
        cells=cells,
        evidence={
            "padded sequences without an end": open_ended,
            "padded sequences": int(short.sum()),
            "other sequences without an end": cut,
        },
        fix=_fix(case),
        repaired=(lambda: _ended(case, room)) if room.any() else None,
        severity=None if is_wrong else "info",
    )


def _have(count: int) -> str:
    return "has" if count == 1 else "have"


def _fix(case: Case) -> dict[str, str]:
    """Append the missing end within T timesteps, and pad again."""
    eos, pad, timesteps = case.batch.eos_id, case.batch.pad_id or 0, case.shape[1]
    ended = f"ids = [row if row[-1:] == [{eos}] else row[:{timesteps - 1}] + [{eos}] for row in ids]"
    padded = f"[row + [{pad}] * ({timesteps} - len(row)) for row in ids]"
    lengths = "[len(row) for row in ids]"
    lines = Line(
        SOURCE,
        f"{ended}\ntargets, lengths = tf.constant({padded}), tf.constant({lengths})",
        f"{ended}\ntargets, lengths = torch.tensor({padded}), torch.tensor({lengths})",
        f"{ended}\ntargets, lengths = jnp.array({padded}), jnp.array({lengths})",
    )
    return written([lines, BY_LENGTH], case.analysis)


def _ended(case: Case, rows: Array) -> Batch:
    """The batch with a counted end of sequence after the content of some sequences."""
    here = (np.arange(case.shape[1]) == content_end(case)[:, None]) & rows[:, None]
    return with_counts(case, case.mask | here).replace(targets=np.where(here, case.batch.eos_id or 0, case.targets))


RULE = Rule(
    code="SHF07",
    name="eos-missing",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="stops",
    needs=("eos_id",),
)
"""Every sequence ends."""
