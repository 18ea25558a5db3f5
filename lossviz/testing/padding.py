"""Padding must not matter: neither its logits and targets, nor how much of it there is."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.errors import InputError
from lossviz.testing._changes import CHANGES, Change, chosen_changes
from lossviz.testing._hypotheses import cause_of_value
from lossviz.testing._messages import cells_text, largest, likely, place_text, reason_of, size_text
from lossviz.testing._probe import Arrays, At, Probe, differs, probe

__all__ = ["assert_no_gradient_on_padding", "assert_padding_invariant"]

Array = np.ndarray
LossFunction = Callable[..., Any]


def assert_no_gradient_on_padding(
    loss_fn: LossFunction, batch: Batch | None = None, *, framework: str | None = None, shift: bool = False
) -> None:
    """Check that the gradient with respect to the logits is exactly 0 where the weight is 0, and all else finite.

    Args:
        loss_fn: (logits [B, T, V], targets [B, T], weights [B, T]) → one number, [B] or [B, T]; several are summed.
        batch: what to call it with; by default a small one, see `lossviz.testing`.
        framework: "numpy", "tensorflow", "pytorch" or "jax"; by default detected, see `lossviz.testing`.
        shift: whether `loss_fn` shifts inside, as the models of Hugging Face do: `logits[:, :-1]` against
            `targets[:, 1:]`. It is then handed unshifted arrays, with one more column.

    Raises:
        AssertionError: with the timesteps, the number and the likely bug.
        InputError: if the function can't be called or differentiated, or the batch has no padding.

    >>> assert_no_gradient_on_padding(lambda logits, targets, weights: logits.mean())
    Traceback (most recent call last):
    AssertionError: The gradient on padding is up to 0.0111 at sequence 1, timestep 4, and 3 more timesteps; it must \
be 0. Likely PAD01: there is no mask, so padding counts like any timestep; multiply the losses by `weights`.
    """
    tried = probe(loss_fn, batch, framework, shift)
    if tried.arrays.counts.all():
        raise InputError("`batch` has no padding: every weight is other than 0. Pass one with shorter sequences.")
    _check_gradient(tried, tried.at(tried.arrays))


def assert_padding_invariant(
    loss_fn: LossFunction,
    batch: Batch | None = None,
    *,
    changes: Iterable[str] | None = None,
    framework: str | None = None,
    shift: bool = False,
    tolerance: float = 1e-5,
) -> None:
    """Check that a loss and its gradient stay the same whatever the padding holds, and however much there is.

    First as `assert_no_gradient_on_padding`; then, after each change, the loss and the gradient at the timesteps that
    count must be as before, and the gradient on padding exactly 0.

    Args:
        loss_fn: (logits [B, T, V], targets [B, T], weights [B, T]) → one number, [B] or [B, T]; several are summed
            for the gradient.
        batch: what to call it with; by default a small one, see `lossviz.testing`.
        changes: which of "columns" (three more columns of padding), "targets" (other classes), "logits" (other
            numbers), "nan", "inf", "-inf" (in the logits), "ignore_id" (targets −100), "out_of_range" (targets V) to
            try; by default all.
        framework: "numpy", "tensorflow", "pytorch" or "jax"; by default detected, see `lossviz.testing`.
        shift: whether `loss_fn` shifts inside, as the models of Hugging Face do: `logits[:, :-1]` against
            `targets[:, 1:]`. It is then handed unshifted arrays, with one more column.
        tolerance: how far losses may differ, relative to those above 1, and gradients, relative to the largest.

    Raises:
        AssertionError: with the change, the timesteps, the numbers and the likely bug.
        InputError: if the function can't be called or differentiated, or there is no such change.

    >>> assert_padding_invariant(lambda logits, targets, weights: weights.mean())  # 11 / 15, then 11 / 24
    Traceback (most recent call last):
    AssertionError: The loss changes from 0.7333 to 0.4583 when 3 columns of padding are appended (sequence 0, \
timestep 5, and 8 more timesteps); the tolerance is 1e-05. Likely PAD02: the divisor counts the padding; divide by \
the sum of `weights`.
    """
    tried = probe(loss_fn, batch, framework, shift)
    chosen = chosen_changes(changes, tried.batch.shape[2])
    before = tried.at(tried.arrays)
    _check_gradient(tried, before)
    passed: list[str] = []
    for change in chosen:
        changed = change.apply(tried.arrays, tried.batch)
        if change.cells(tried.arrays, changed).any():
            _check_change(tried, before, change, changed, tolerance, passed)
            passed.append(change.name)


def _check_gradient(tried: Probe, here: At) -> None:
    """The batch as it is: no gradient on padding, and all else finite."""
    counts = tried.arrays.counts
    on_padding = np.where(counts[..., None], 0, here.gradient)
    wrong = np.asarray((on_padding != 0).any(axis=2))
    if wrong.any():
        cause = " " + likely("SHF02") if _shifts_inside(tried, here) else _cause_here(here, tried.arrays)
        raise AssertionError(
            f"The gradient on padding is {_up_to(on_padding[wrong])} at {cells_text(wrong)}; it must be 0.{cause}"
        )
    wrong = np.asarray(~np.isfinite(here.gradient).all(axis=2))
    if wrong.any():
        raise AssertionError(
            f"The gradient at timesteps that count is {size_text(here.gradient[wrong])} at {cells_text(wrong)}; "
            "it must be finite."
        )
    if not np.isfinite(here.value).all():
        reason = "" if counts.any() else " " + likely("PAD11")
        raise AssertionError(f"The loss is {size_text(here.value)}; it must be finite.{reason}")


def _shifts_inside(tried: Probe, here: At) -> bool:
    """Whether no logits of the last timestep are read although there is a target for them.

    The last target of an unshifted row has no logits: a loss that shifts inside leaves the last logits alone, and
    where the weights begin with 0, as those of a prompt do, it trains the timestep before the first real one.
    """
    reached, counts = (here.gradient != 0).any(axis=2), tried.arrays.counts
    if tried.shift or not reached.any() or reached[:, -1].any():
        return False
    next_counts = np.pad(counts[:, 1:], ((0, 0), (0, 1)))
    return bool(counts[:, -1].any() or np.array_equal(reached, next_counts))


def _cause_here(here: At, arrays: Arrays) -> str:
    value, gradient = (bool(np.isfinite(part).all()) for part in here)
    if value and gradient:
        return cause_of_value(here.value, arrays, "PAD01")
    if not arrays.counts.any():
        return " " + likely("PAD11")
    if not np.isfinite(arrays.logits[~arrays.counts]).all():
        return " " + likely("NUM01 gradient" if value else "NUM01")
    return " " + likely("NUM02") if value else ""


def _check_change(
    tried: Probe, before: At, change: Change, changed: Arrays, tolerance: float, passed: list[str]
) -> None:
    when = f"when {change.words} ({cells_text(change.cells(tried.arrays, changed))})"
    try:
        after = tried.at(changed)
    except Exception as error:
        raise AssertionError(
            f"The loss function raises {type(error).__name__} {when}: {reason_of(error)}. {likely(change.refused)}"
        ) from error
    _check_value(tried, before, after.value, change, when, tolerance)
    _check_real(tried, before, after, change, tolerance)
    _check_padding(after, changed, change, passed)


def _check_value(tried: Probe, before: At, after: Array, change: Change, when: str, tolerance: float) -> None:
    value = before.value
    more = after.shape[-1] - value.shape[-1] if value.ndim == 2 else 0  # the columns that are appended
    expected = np.pad(value, ((0, 0), (0, more))) if more else value
    wrong = differs(expected, after, tolerance)
    if wrong.any():
        place = largest(np.where(wrong, after - expected, 0))
        of = f" of {place_text(place)}" if place else ""
        raise AssertionError(
            f"The loss{of} changes from {number_text(float(expected[place]))} to {number_text(float(after[place]))} "
            f"{when}; the tolerance is {tolerance:g}.{_cause_of_change(tried, before, after, change)}"
        )


def _cause_of_change(tried: Probe, before: At, after: Array, change: Change) -> str:
    if not np.isfinite(after).all():
        return " " + likely("PAD13" if change.name in ("ignore_id", "out_of_range") else "NUM01")
    if _shifts_inside(tried, before):
        return " " + likely("SHF02")
    by_number = cause_of_value(before.value, tried.arrays, change.moved)
    return by_number if change.name == "columns" else " " + likely(change.moved)


def _check_real(tried: Probe, before: At, after: At, change: Change, tolerance: float) -> None:
    counts = tried.arrays.counts[..., None]
    kept = after.gradient[:, : counts.shape[1]]
    moved = np.where(counts & tried.gradient_differs(before, kept, tolerance), kept - before.gradient, 0)
    wrong = (moved != 0).any(axis=2)
    if wrong.any():
        raise AssertionError(
            f"The gradient at timesteps that count changes by {_up_to(moved[wrong])} at {cells_text(wrong)} when "
            f"{change.words}, although the loss does not; the tolerance is {tolerance:g} of the largest. "
            + likely(change.moved)
        )


def _check_padding(after: At, changed: Arrays, change: Change, passed: list[str]) -> None:
    on_padding = np.where(changed.counts[..., None], 0, after.gradient)
    wrong = (on_padding != 0).any(axis=2)
    if wrong.any():
        cause = change.moved if np.isfinite(on_padding).all() else "NUM01 gradient"
        raise AssertionError(
            f"The gradient on padding is {_up_to(on_padding[wrong])} at {cells_text(wrong)} when {change.words}, "
            f"although the loss does not change; it must be 0. {likely(cause)}{_what_passed(change, passed)}"
        )


def _what_passed(change: Change, passed: list[str]) -> str:
    """A pipeline's padding may always be finite; then a loss that fails only on NaN or infinity is good enough."""
    finite = [change.name for change in CHANGES if not change.nonfinite]
    if not change.nonfinite or not {"targets", "logits"} <= {*passed}:
        return ""
    names = ", ".join(repr(name) for name in finite)
    return f" Padding with any finite logits passed; if yours is always finite, pass `changes=[{names}]`."


def _up_to(numbers: Array) -> str:
    return f"up to {size_text(numbers)}" if np.isfinite(numbers).all() else size_text(numbers)
