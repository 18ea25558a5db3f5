"""What is wrong with a batch's content, in words: the cells, and one sentence with numbers."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.masking import Masking, impossible_rows
from lossviz.reductions import reduction_named
from lossviz.timesteps import Timesteps

__all__ = ["Problem", "bad_labels", "find_problems", "not_a_class", "odd_weights"]

Array = np.ndarray
SIGMOID = reduction_named("classification")
TITLES = {
    "label": "Targets that are no class",
    "length": "Impossible lengths",
    "unused_length": "Impossible lengths, not in use",
    "logits": "NaN or infinite logits",
    "unrecorded": "Losses that were not recorded",
    "weight": "Odd weights",
    "fraction": "Weights that are not 0 or 1",
    "disagreement": "Weights and lengths disagree",
    "empty": "Nothing counts",
    "one_class": "One class",
}


@dataclass(frozen=True, eq=False)
class Problem:
    """One thing that is wrong: its kind, one sentence, and the timesteps [B, T] that it concerns."""

    kind: str
    message: str
    cells: Array

    @property
    def title(self) -> str:
        """The kind in words, for a button or a heading."""
        return TITLES[self.kind]

    def __str__(self) -> str:
        return self.message


def not_a_class(targets: Array, classes: int | None) -> Array:
    """Where a target is no class from 0 to `classes` − 1, [B, T] bool; where None says how many, below 0 only.

    >>> not_a_class(np.array([[-1, 0, 4]]), 4).tolist(), not_a_class(np.array([[-1, 0, 4]]), None).tolist()
    ([[True, False, True]], [[True, False, False]])
    """
    outside: Array = targets < 0
    return outside if classes is None else outside | (targets >= classes)


def bad_labels(batch: Batch, weights: Array, classes: int | None) -> Array:
    """Targets outside [0, classes), [B, T] bool; the declared ignore id under weight 0 is correct.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 4)), targets=[[1, 4, -100]], ignore_id=-100)
    >>> bad_labels(batch, np.array([[1.0, 1.0, 0.0]]), 4).tolist()
    [[False, True, False]]
    """
    outside = not_a_class(batch.targets, classes)
    if batch.ignore_id is None:
        return outside
    ignored: Array = (batch.targets == batch.ignore_id) & (weights == 0)
    flagged: Array = outside & ~ignored
    return flagged


def odd_weights(weights: Array) -> Array:
    """Weights that no mask can mean: negative ones, and 254 and 255 (`~` on a uint8 mask), [B, T] bool.

    >>> odd_weights(np.array([[1.0, 0.5, -1.0, 254.0]])).tolist()
    [[False, False, True, True]]
    """
    odd: Array = (weights < 0) | np.isin(weights, (254, 255))
    return odd


def find_problems(
    batch: Batch, masking: Masking, weights: Array, timesteps: Timesteps, classes: int | None
) -> tuple[Problem, ...]:
    """Everything worth saying about the content of a batch under a mask, most serious first.

    Args:
        batch: the batch.
        masking: the mask in use.
        weights: [B, T], the weights in use.
        timesteps: the numbers of every timestep.
        classes: how many classes a target may name, or None where that is unknown.
    """
    found = [
        *_labels(batch, weights, classes),
        *_lengths(batch, masking, weights),
        *_logits(weights, timesteps.non_finite),
        *_unrecorded(batch, weights, timesteps.loss, classes),
        *_weights(weights),
        *_disagreement(masking),
        *_nothing_counts(weights),
        *_one_class(batch, classes),
    ]
    return tuple(found)


def _labels(batch: Batch, weights: Array, classes: int | None) -> Iterator[Problem]:
    cells = bad_labels(batch, weights, classes)
    if not cells.any():
        return
    within = "" if classes is None else f" from 0 to {classes - 1}"
    values = Counter(batch.targets[cells].tolist())
    named = ", ".join(f"{value} ({_times(count)})" for value, count in values.most_common(4))
    more = " …" if len(values) > 4 else ""
    yield Problem(
        "label",
        f"{_count(cells, 'target is', 'targets are')} not a class{within}: {named}{more}, "
        f"first at {_first(cells)}. {_effect(cells, weights)}",
        cells,
    )


def _lengths(batch: Batch, masking: Masking, weights: Array) -> Iterator[Problem]:
    cells = impossible_rows(batch)
    if batch.lengths is None or not cells.any():
        return
    in_use = masking.name == "lengths"
    rows = np.flatnonzero(cells.any(axis=1))
    named = ", ".join(f"{batch.lengths[row]:.15g} (sequence {row})" for row in rows[:4])
    named += " …" if len(rows) > 4 else ""
    yield Problem(
        "length" if in_use else "unused_length",
        f"{len(rows)} {'length is' if len(rows) == 1 else 'lengths are'} impossible for {batch.shape[1]} timesteps: "
        f"{named}. {_effect(cells, weights) if in_use else f'The mask in use is {masking.name!r}: the number stands.'}",
        cells,
    )


def _logits(weights: Array, non_finite: Array) -> Iterator[Problem]:
    cells = non_finite > 0
    if not cells.any():
        return
    counting = int(np.count_nonzero(cells & (weights != 0)))
    yield Problem(
        "logits",
        f"{_count(cells, 'timestep has', 'timesteps have')} logits that are NaN or ±inf "
        f"({int(non_finite.sum())} logits), first at {_first(cells)}. "
        + (f"{counting} of them {'counts' if counting == 1 else 'count'}." if counting else "None of them counts."),
        cells,
    )


def _unrecorded(batch: Batch, weights: Array, loss: Array, classes: int | None) -> Iterator[Problem]:
    """Unmasked timesteps without a recorded loss: the number is NaN; the sentence gives that of the others."""
    if batch.logits is not None:
        return
    unmasked = (weights != 0) & ~not_a_class(batch.targets, classes)
    cells = unmasked & np.isnan(loss)
    if not cells.any():
        return
    rest = np.where(unmasked & ~cells, weights, 0.0)
    others = f"; the mean over the other {np.count_nonzero(rest)} is {_mean(loss, rest)}" if rest.any() else ""
    yield Problem(
        "unrecorded",
        f"{_count(cells, 'unmasked loss was', 'unmasked losses were')} not recorded, first at {_first(cells)}, so the "
        f"number is NaN{others}.",
        cells,
    )


def _mean(loss: Array, weights: Array) -> str:
    total = float(weights.sum())
    return number_text(float(np.where(weights != 0, weights * loss, 0.0).sum()) / total if total else np.nan)


def _weights(weights: Array) -> Iterator[Problem]:
    odd = odd_weights(weights)
    if odd.any():
        low, high = weights[odd].min(), weights[odd].max()
        inverted = np.isin(weights[odd], (254, 255)).any()
        why = "254 and 255 are what `~` makes of a uint8 mask." if inverted else "A mask holds 0 and 1."
        yield Problem("weight", f"{_count(odd, 'weight is', 'weights are')} odd, {low:g} to {high:g}. {why}", odd)
    plain = np.isin(weights, (0, 1)) | odd
    if not plain.all():
        low, high = weights[~plain].min(), weights[~plain].max()
        yield Problem(
            "fraction",
            f"{_count(~plain, 'weight is', 'weights are')} neither 0 nor 1, {low:g} to {high:g}: "
            "dividing by their sum, by their count or by the batch size gives different numbers.",
            ~plain,
        )


def _disagreement(masking: Masking) -> Iterator[Problem]:
    cells = masking.disagreement
    if cells.any():
        in_use = masking.name if masking.name in ("weights", "lengths") else "neither"
        yield Problem(
            "disagreement",
            f"`weights` and `lengths` disagree at {_count(cells, 'timestep', 'timesteps')}, first at {_first(cells)}. "
            f"In use: {in_use}.",
            cells,
        )


def _nothing_counts(weights: Array) -> Iterator[Problem]:
    if weights.size == 0:
        yield Problem("empty", "The batch is empty: there is no timestep, and the loss is 0.", weights != 0)
    elif not weights.any():
        yield Problem("empty", "No timestep counts: every weight is 0, and the loss is 0.", weights != 0)


def _one_class(batch: Batch, classes: int | None) -> Iterator[Problem]:
    if classes == 1:
        yield Problem(
            "one_class",
            "There is one class, so its softmax probability is always 1 and the loss is 0. "
            f"For one sigmoid logit per timestep choose the reduction “{SIGMOID.title}” (`{SIGMOID.name}`).",
            np.zeros(batch.targets.shape, bool),
        )


def _effect(cells: Array, weights: Array) -> str:
    counting = int(np.count_nonzero(cells & (weights != 0)))
    if not counting:
        return "None of these timesteps counts, so the number stands."
    return f"{counting} of these timesteps {'counts' if counting == 1 else 'count'}, so the number is NaN."


def _count(cells: Array, one: str, many: str) -> str:
    count = int(np.count_nonzero(cells))
    return f"{count} {one if count == 1 else many}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _first(cells: Array) -> str:
    row, timestep = np.argwhere(cells)[0]
    return f"sequence {row}, timestep {timestep}"
