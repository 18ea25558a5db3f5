"""Padding is on the other side than the mask assumes.

## What it checks
Whether sequences start with a run of pad ids while their mask leaves out as many timesteps at the end, or vice versa.
For left padding, it may leave out one more, if the first real target is a start token that the lengths don't count. If
the mask is correct: whether the number that the training loop printed is the one such a mask would give.

## Why it matters
Pads are trained, and as many real timesteps at the other end are not. `keras.utils.pad_sequences` pads on the left by
default, while a mask built from lengths starts on the left.

## Example
`pad_sequences([[5, 1]], maxlen=4)` returns [[0, 0, 5, 1]]: with length 2, the mask trains two pads and neither 5 nor
1.

## How to fix
Pad on the right, `padding="post"`, or use the tokenizer's attention mask instead of the lengths.

## When it is a false alarm
A decoder that starts with the pad id, as T5's does, has it in its inputs; this rule examines the targets. A single pad
id at the start of one sequence may be a real token and is not reported.

## Threads
transformers#35909, transformers#24265, transformers PR#46782, transformers#18388, transformers#18478, fairseq PR#851,
fairseq PR#860, tensorflow#30745, unsloth-zoo PR#968
"""

import numpy as np

from lossviz.fixes import BY_LENGTH, WEIGH, Line, written
from lossviz.rules._core.case import Case
from lossviz.rules._core.end_snippets import FROM_THE_END
from lossviz.rules._core.rule import Found, Rule
from lossviz.rules._core.sequence_ends import counted_end, many, padding, true_end, with_counts
from lossviz.rules.padding._leaking_prompts import leaking_prompts

__all__ = ["RULE"]

Array = np.ndarray


def _from_the_first_token(pad: int) -> Line:
    """The weights of answers, where `prompt_lengths` count tokens and targets are one timestep ahead of inputs."""
    return Line(
        WEIGH,
        f"first = tf.argmax(tf.cast(inputs != {pad}, tf.int32), axis=1, output_type=prompt_lengths.dtype)\n"
        "columns = tf.range(tf.shape(targets)[1], dtype=first.dtype)\n"
        "weights = tf.cast((columns >= (first + prompt_lengths)[:, None] - 1) "
        f"& (targets != {pad}), tf.float32)",
        f"first = (inputs != {pad}).int().argmax(1)\n"
        "columns = torch.arange(targets.shape[1], device=targets.device)\n"
        "weights = ((columns >= (first + prompt_lengths)[:, None] - 1) "
        f"& (targets != {pad})).float()",
        f"first = (inputs != {pad}).argmax(1)\n"
        "columns = jnp.arange(targets.shape[1])\n"
        "weights = ((columns >= (first + prompt_lengths)[:, None] - 1) "
        f"& (targets != {pad})).astype(jnp.float32)",
    )


def _check(case: Case) -> Found | None:
    leaks = leaking_prompts(case)
    if leaks.any():
        return _leaking(case, leaks)
    if case.analysis.mask_name not in ("lengths", "weights"):
        return None
    head, end = (case.pad_head & padding(case)).sum(axis=1), case.shape[1] - true_end(case)
    for side, run, ready in (("left", head, end == 0), ("right", end, head == 0)):
        padded = (run > 0) & ready
        wrong = padded & (_cut_right(case, run) if side == "left" else _cut_left(case, run))
        enough = wrong.sum() >= 2 or (wrong.any() and run[wrong].max() >= 2)
        if enough and wrong.sum() >= 0.8 * padded.sum():
            left_out = case.shape[1] - counted_end(case)
            return _found(case, side, np.where(wrong, left_out if side == "left" else -run, 0))
    return None


def _leaking(case: Case, leaks: Array) -> Found:
    rows, count = int(leaks.any(axis=1).sum()), int(leaks.sum())
    return Found(
        message=f"{many(rows, 'sequence is', 'sequences are')} padded on the left, and the prompt's length is counted "
        f"from the first column instead of the first token: {many(count, 'prompt token is', 'prompt tokens are')} "
        "trained.",
        cells=leaks,
        evidence={"sequences": rows, "prompt tokens that count": count},
        fix=written([_from_the_first_token(case.batch.pad_id or 0)], case.analysis),
        repaired=lambda: with_counts(case, case.mask & ~leaks),
    )


def _cut_right(case: Case, run: Array) -> Array:
    """Sequences whose mask leaves out exactly the last `run` timesteps, or, in several of them, one more, [B]."""
    left_out = case.shape[1] - counted_end(case)
    more = (run > 0) & (left_out == run + 1) & (left_out < case.shape[1])
    cut: Array = more if more.sum() >= 2 else left_out == run
    return cut


def _cut_left(case: Case, run: Array) -> Array:
    """Sequences whose mask leaves out exactly the first `run` timesteps, [B]."""
    first = np.where(case.mask.any(axis=1), case.mask.argmax(axis=1), -1)
    cut: Array = (first == run) & case.mask[:, -1]
    return cut


def _found(case: Case, side: str, shift: Array) -> Found:
    meant = _moved(case.mask, shift)
    cells = meant != case.mask
    trained, lost = int((case.mask & ~meant & case.is_pad).sum()), int((meant & ~case.mask).sum())
    rows = int((shift != 0).sum())
    other = "right" if side == "left" else "left"
    return Found(
        message=f"{many(rows, 'sequence is', 'sequences are')} padded on the {side} and masked as if padded on the "
        f"{other}: {many(trained, 'pad is', 'pads are')} trained and "
        f"{many(lost, 'real timestep is', 'real timesteps are')} not.",
        cells=cells,
        evidence={"sequences": rows, "pads that count": trained, "real timesteps that don't": lost},
        fix=written([(FROM_THE_END if side == "left" else BY_LENGTH).saying(f"padded on the {side}")], case.analysis),
        repaired=lambda: with_counts(case, meant).replace(lengths=None),
    )


def _moved(counts: Array, shift: Array) -> Array:
    """Each sequence of the mask rolled by its own number of timesteps, [B, T]."""
    timesteps = counts.shape[1]
    places = (np.arange(timesteps) - shift[:, None]) % timesteps
    moved: Array = np.take_along_axis(counts, places, axis=1)
    return moved


RULE = Rule(
    code="PAD07",
    name="wrong-side",
    severity="error",
    doc=__doc__ or "",
    check=_check,
    phase="side",
    needs=("pad_id",),
    checks_reported=True,
)
"""The mask covers the side where the sequences are."""
