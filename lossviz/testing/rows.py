"""A sequence's loss must not depend on which other sequences are in the batch."""

from collections.abc import Callable
from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.errors import InputError
from lossviz.testing._messages import cells_text, largest, likely, place_text, size_text
from lossviz.testing._probe import Arrays, Probe, differs, probe

__all__ = ["assert_batch_invariant"]

Array = np.ndarray


def assert_batch_invariant(
    loss_fn: Callable[..., Any],
    batch: Batch | None = None,
    *,
    framework: str | None = None,
    shift: bool = False,
    tolerance: float = 1e-5,
) -> None:
    """Check that what a sequence adds to the loss does not depend on the other sequences.

    A function that returns [B] or [B, T] is called with each sequence alone: its losses must be those it has in the
    batch. One that returns a single number is differentiated: when the logits and targets of all other sequences change
    and the weights do not, the gradient of a sequence must not change.

    Args:
        loss_fn: (logits [B, T, V], targets [B, T], weights [B, T]) → one number, [B] or [B, T].
        batch: what to call it with; by default a small one, see `lossviz.testing`.
        framework: "numpy", "tensorflow", "pytorch" or "jax"; by default detected, see `lossviz.testing`.
        shift: whether `loss_fn` shifts inside, as the models of Hugging Face do: `logits[:, :-1]` against
            `targets[:, 1:]`. It is then handed unshifted arrays, with one more column.
        tolerance: how far losses may differ, relative to those above 1, and gradients, relative to the largest.

    Raises:
        AssertionError: with the sequence, the numbers and, where it is known, the likely bug.
        InputError: if the function can't be called or differentiated, or the batch has only one sequence.

    >>> assert_batch_invariant(lambda logits, targets, weights: weights.sum(axis=1) / weights.sum())
    Traceback (most recent call last):
    AssertionError: The loss of sequence 2 is 1.0000 alone and 0.1818 in the batch; the tolerance is 1e-05. Likely \
RED06: each sequence is divided by what counts in the whole batch; divide it by its own timesteps.
    """
    tried = probe(loss_fn, batch, framework, shift)
    if len(tried.arrays.targets) < 2:
        raise InputError("`batch` must have at least two sequences; got one, which has no neighbours.")
    value = tried.value(tried.arrays)
    if value.ndim:
        _check_alone(tried, value, tolerance)
    else:
        _check_gradients(tried, tolerance)


def _check_alone(tried: Probe, value: Array, tolerance: float) -> None:
    rows = range(len(value))
    alone = np.concatenate([tried.value(tried.arrays.rows([row])).reshape(value[[row]].shape) for row in rows])
    wrong = differs(value, alone, tolerance)
    if wrong.any():
        place = largest(np.where(wrong, alone - value, 0))
        raise AssertionError(
            f"The loss of {place_text(place)} is {number_text(float(alone[place]))} alone and "
            f"{number_text(float(value[place]))} in the batch; the tolerance is {tolerance:g}."
            + _cause(value, alone, tried.arrays)
        )


def _cause(value: Array, alone: Array, arrays: Arrays) -> str:
    own, all_ = arrays.weights.sum(axis=1), arrays.weights.sum()
    by_own = alone * own.reshape(-1, *[1] * (value.ndim - 1))
    if not differs(value * all_, by_own, 1e-4).any():
        return " " + likely("RED06 rows")
    return " Likely a sum, a mean or a softmax over axis 0, the sequences."


def _check_gradients(tried: Probe, tolerance: float) -> None:
    before = tried.at(tried.arrays)
    for row in range(len(before.gradient)):
        after = tried.at(_with_others_changed(tried.arrays, row)).gradient
        wrong: Array = tried.gradient_differs(before, after, tolerance).max(axis=2)
        wrong[np.arange(len(wrong)) != row] = False
        if wrong.any():
            raise AssertionError(
                f"The gradient of sequence {row} changes by up to {size_text((after - before.gradient)[wrong])} at "
                f"{cells_text(wrong)} when the logits and targets of the other sequences change; the tolerance is "
                f"{tolerance:g} of the largest. Likely the loss is not a sum over sequences: a softmax or a norm over "
                "axis 0, or the exponential of a mean."
            )


def _with_others_changed(arrays: Arrays, row: int) -> Arrays:
    """Changes the logits and targets of all other sequences, but not this sequence nor any weights."""
    others = np.arange(len(arrays.targets)) != row
    classes = arrays.logits.shape[2]
    return arrays._replace(
        logits=np.where(others[:, None, None], 0.5 * np.roll(arrays.logits, 1, axis=2), arrays.logits),
        targets=np.where(others[:, None], (arrays.targets + 2) % classes, arrays.targets),
    )
