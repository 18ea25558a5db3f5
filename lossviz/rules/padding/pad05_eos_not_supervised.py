"""The end of the sequence is never trained.

## What it checks
Whether no end-of-sequence label counts, although in at least 80 % of the sequences that end before T it comes right
after the last timestep that counts: in the targets, or in the inputs if the label was replaced. The ends of documents
or turns inside the rows are then lost as well. If the mask is correct: whether the number that the training loop
printed is the one such a mask would give.

## Why it matters
The model is never taught to stop, so it generates up to the length limit. This happens when the pad id is the
end-of-sequence id and every label with that id is masked.

## Example
Inputs [5, 6, 2, 2, 2] with 2 as both pad and end, labels [5, 6, −100, −100, −100]: the real end at timestep 2 is lost.
On the golden batch without its ends, the loss is 1.575 instead of 1.2545.

## How to fix
Mask by length or attention mask, never by id; or give padding its own token.

## When it is a false alarm
Chunks of pre-training text have no end, and sequences truncated at T lost theirs: the rule stays silent. It is an info
if all sequences were truncated at one length and then padded with end tokens to a multiple of 8, if most sequences
fill T and padding looks like an end, or if ends are masked only inside sequences.

## Threads
transformers#23530, trl#976, trl PR#992, trl PR#456, transformers#22794, huggingface/blog#1302, open-r1 PR#494
"""

import numpy as np

from lossviz.fixes import BY_LENGTH, CHANGE, LOSE, WEIGHTS, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell, Found, Rule
from lossviz.rules._core.sequence_ends import (
    IGNORE_IDS,
    between,
    content,
    counted_end,
    eos_of,
    many,
    may_be_cut,
    pick,
    with_counts,
)

__all__ = ["RULE"]

Array = np.ndarray


def _check(case: Case) -> Found | None:
    eos = eos_of(case)
    if eos is None:
        raise CannotTell("Needs `eos_id`, which this batch does not have.")
    if case.analysis.mask_name == "none" or (case.mask & (case.targets == eos)).any():
        return None
    end = counted_end(case)
    short = (end > 0) & (end < case.shape[1])
    after, read = pick(case.targets, end), _read_next(case, end)
    replaced = np.isin(after, IGNORE_IDS) | (after == case.batch.ignore_id)
    short &= (read >= 0) | ~replaced  # otherwise nothing shows which token came next
    lost = short & ((after == eos) | (read == eos))
    if not short.any():
        return _inside(case, eos)
    return _found(case, eos, short, lost) if lost.sum() >= 0.8 * short.sum() else None


def _read_next(case: Case, end: Array) -> Array:
    """The input token after the last timestep that counts, [B], whether or not targets are shifted."""
    inputs, targets = case.batch.inputs, case.targets
    if inputs is None:
        return pick(targets, np.full(len(end), -1))
    same, later = _read_shares(case, inputs)
    return pick(inputs, end + (later > same)) if max(same, later) > 0.5 else pick(targets, np.full(len(end), -1))


def _read_shares(case: Case, inputs: Array) -> tuple[float, float]:
    """The shares of the targets that count that equal the input of their own timestep, and of the next one."""
    counts, targets = case.mask, case.targets
    same = (inputs == targets)[counts].mean() if counts.any() else 0
    later = (inputs[:, 1:] == targets[:, :-1])[counts[:, :-1]]
    return float(same), float(later.mean()) if later.size else 0.0


def _found(case: Case, eos: int, short: Array, lost: Array) -> Found:
    end, count, several = counted_end(case), int(lost.sum()), int(short.sum())
    inner = _ends_inside(case, eos)
    cells = inner | (lost[:, None] & (np.arange(case.shape[1]) == end[:, None]))
    pad = case.batch.pad_id
    shared = ", which is also the pad id," if pad == eos else ""
    doubtful = (pad == eos and several < 0.5 * len(end)) or _by_chance(case, count, inner) > 1e-3
    doubtful |= may_be_cut(case, lost)
    return Found(
        message=f"No end-of-sequence label counts: “{case.batch.token(eos)}” (id {eos}){shared} comes right after the "
        f"last timestep that counts in {count} of "
        f"{many(several, 'sequence that ends', 'sequences that end')} early"
        + (f", and {many(int(inner.sum()), 'more end')} inside the sequences." if inner.any() else "."),
        cells=cells,
        evidence={"ends that count": 0, "ends that don't": int(cells.sum()), "sequences that end early": several},
        fix=_fix(case, cells),
        repaired=lambda: with_counts(case, case.mask | cells).replace(targets=np.where(cells, eos, case.targets)),
        severity="info" if doubtful else None,
    )


def _ends_inside(case: Case, eos: int) -> Array:
    """The ends of documents or turns inside rows, [B, T]: right after a timestep that counts, before more that do."""
    labels, inputs = case.targets, case.batch.inputs
    replaced = np.isin(labels, IGNORE_IDS) | (labels == case.batch.ignore_id)
    if inputs is not None and replaced.any():
        same, later = _read_shares(case, inputs)
        read = np.pad(inputs[:, 1:], ((0, 0), (0, 1)), constant_values=-1) if later > same else inputs
        labels = np.where(replaced & (max(same, later) > 0.5), read, labels)
    follows = np.pad(case.mask[:, :-1], ((0, 0), (1, 0)))
    inside: Array = (labels == eos) & ~case.mask & follows & between(case)
    return inside


def _by_chance(case: Case, count: int, inner: Array) -> float:
    """The chance that so many ends are left out, given the holes in the mask or weights that are no ends."""
    inside = between(case) & ~inner
    timesteps, holes = int(inside.sum()), int((inside & ~case.mask).sum())
    is_mask = np.isin(case.analysis.weights, (0, 1)).all()
    return float(holes / timesteps if is_mask else (holes + 1) / (timesteps + 2)) ** count


def _inside(case: Case, eos: int) -> Found | None:
    cells = (case.targets == eos) & ~case.mask & content(case)
    if not cells.any() or not case.mask.any():
        return None
    return Found(
        message=f"No end-of-sequence label counts, and {many(int(cells.sum()), 'is', 'are')} masked inside the "
        "sequences: is that intended?",
        cells=cells,
        evidence={"ends that count": 0, "ends that don't": int(cells.sum())},
        fix=_fix(case, cells),
        severity="info",
    )


def _fix(case: Case, cells: Array) -> dict[str, str]:
    """Mask by length, or one timestep more after prompts; restore labels that an ignore id replaced."""
    eos, ignore = eos_of(case), -100 if case.batch.ignore_id is None else case.batch.ignore_id
    replaced, labels = bool((case.targets[cells] != eos).any()), "targets"
    if replaced and case.batch.inputs is not None:
        same, later = _read_shares(case, case.batch.inputs)
        labels = "tokens[:, 1:]" if later > same else "tokens"
    counts = case.mask | cells
    prefix = (counts[:, 1:] <= counts[:, :-1]).all()
    named = "the pad id" if case.batch.pad_id is None else f"{case.batch.pad_id}"
    lines = [BY_LENGTH.saying(f"not: targets != {named}")]
    if not prefix:
        lines = [
            WEIGHTS,
            Line(
                LOSE,
                f"after = tf.pad(weights[:, :-1] != 0, [[0, 0], [1, 0]]) & ({labels} == {eos})\n"
                "weights = tf.where(after, 1.0, weights)",
                f"after = F.pad(weights[:, :-1] != 0, (1, 0)) & ({labels} == {eos})\n"
                "weights = torch.where(after, 1.0, weights)",
                f"after = jnp.pad(weights[:, :-1] != 0, ((0, 0), (1, 0))) & ({labels} == {eos})\n"
                "weights = jnp.where(after, 1.0, weights)",
            ).saying("the ends count"),
        ]
    if replaced:
        again = f"weights != 0, {labels}, {ignore}"
        lines.append(Line(CHANGE, *(f"targets = {module}.where({again})" for module in ("tf", "torch", "jnp"))))
    return written(lines, case.analysis)


RULE = Rule(
    code="PAD05",
    name="eos-not-supervised",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="ends",
    requires=("PAD08",),
    checks_reported=True,
)
"""The model is told where to stop."""
