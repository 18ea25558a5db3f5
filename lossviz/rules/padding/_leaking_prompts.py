"""Prompt tokens that count in left-padded rows, because as many first columns as the prompt is long were masked."""

import numpy as np

from lossviz.rules._core.case import Case
from lossviz.rules._core.sequence_ends import IGNORE_IDS

__all__ = ["leaking_prompts"]

Array = np.ndarray
UNKNOWN = -1 - 2**62
CHANCE = 1e-2


def leaking_prompts(case: Case) -> Array:
    """The tokens of prompts that count, [B, T]; nowhere if none do.

    A row that starts with o pads and masks its first columns instead of its first tokens hides o tokens too few: the
    last token of its prompt, the same in every row, stands o timesteps after the mask's start where it should stand
    right before it. Where the padding is longer than the prompt, all of the row counts.
    """
    inputs, pad = case.batch.inputs, case.batch.pad_id
    if inputs is None or pad is None or case.analysis.mask_name not in ("weights", "ignore_id"):
        return case.nothing
    labels, head = _labels(case, inputs), np.logical_and.accumulate(inputs == pad, axis=1).sum(axis=1)
    rows = np.asarray(case.mask.any(axis=1))
    starts, columns = case.mask.argmax(axis=1), np.arange(case.shape[1])
    real = (labels != UNKNOWN) & (labels != pad) & (columns >= head[:, None] - 1)
    hides = rows & (starts > np.maximum(head - 1, 0))
    if not (rows & (head > 0)).any() or not hides.any():
        return case.nothing
    end, is_end = _end_of_prompts(labels, starts + head - 1, hides)
    places = real & (labels == end)
    if not is_end or (places.sum(axis=1) != 1)[rows].any():
        return case.nothing
    place = places.argmax(axis=1)
    leaks = rows & (head > 0) & (place >= starts)
    right = rows & (head == 0) & (place == starts - 1)
    if (
        not leaks.any()
        or not (leaks | right)[rows].all()
        or _chance(real, hides & leaks, leaks & ~hides, rows) > CHANCE
    ):
        return case.nothing
    cells: Array = case.mask & leaks[:, None] & (columns <= place[:, None])
    return cells


def _labels(case: Case, inputs: Array) -> Array:
    """The tokens to predict, [B, T]; those that an ignore id replaced are read in the inputs, one timestep later."""
    ignored = np.isin(case.targets, IGNORE_IDS) | (case.targets == case.batch.ignore_id)
    following = np.pad(inputs[:, 1:], ((0, 0), (0, 1)), constant_values=UNKNOWN)
    known = ~ignored[:, :-1]
    shifted = known.any() and (case.targets[:, :-1] == following[:, :-1])[known].mean() > 0.95
    labels: Array = np.where(ignored, following if shifted else UNKNOWN, case.targets)
    return labels


def _end_of_prompts(labels: Array, place: Array, rows: Array) -> tuple[int, bool]:
    """The token at that place of these rows, and whether it is one in all of them."""
    inside = np.clip(place, 0, labels.shape[1] - 1)
    tokens = labels[np.arange(len(labels)), inside][rows]
    return int(tokens[0]), bool((tokens == tokens[0]).all() and tokens[0] != UNKNOWN)


def _chance(real: Array, exact: Array, whole: Array, rows: Array) -> float:
    """How likely a token is by chance once in each row, and in the rows `exact` at one place; `whole` hide nothing."""
    once = 0.4 ** (int(rows.sum()) - 1) * 0.5 ** int(whole.sum())
    return float(once * np.prod(1 / np.maximum(real[exact].sum(axis=1), 1)))
