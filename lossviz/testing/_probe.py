"""A loss function and the batch to try it on: calling it, and comparing what it returns."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from lossviz.arrays import as_array
from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.masking import resolve_mask
from lossviz.testing._frameworks import Framework, framework_of

__all__ = ["Arrays", "At", "Probe", "arrays_of", "default_batch", "differs", "probe"]

Array = np.ndarray


class Arrays(NamedTuple):
    """What a loss function takes: logits [B, T, V], targets [B, T], weights [B, T]."""

    logits: Array
    targets: Array
    weights: Array

    @property
    def counts(self) -> Array:
        """Where the weight is not 0, [B, T]."""
        counts: Array = self.weights != 0
        return counts

    def rows(self, rows: Any) -> "Arrays":
        """Some of the sequences."""
        return Arrays(*(array[rows] for array in self))

    def unshifted(self) -> "Arrays":
        """The arrays for a loss that shifts inside: one more column, so that the target at t + 1 belongs to logits t.

        Such a loss compares `logits[:, :-1]` with `targets[:, 1:]`, so it reads neither the target and weight of the
        new first column nor the logits of the new last one.
        """
        logits, targets, weights = self
        return Arrays(
            np.concatenate([logits, np.zeros_like(logits[:, :1])], axis=1),
            np.concatenate([np.zeros_like(targets[:, :1]), targets], axis=1),
            np.concatenate([np.zeros_like(weights[:, :1]), weights], axis=1),
        )


class At(NamedTuple):
    """A loss at some arrays: its value, (), [B] or [B, T], and the gradient of its sum, [B, T, V]; float64."""

    value: Array
    gradient: Array


def default_batch() -> Batch:
    """The batch that is used where none is given: B = 3, T = 5, V = 6, lengths 5, 4, 2; the mean is 13.8 / 11 = 1.2545.

    A real target has the pad id 0, at sequence 1, timestep 1. No two formulas of spec/conventions.md agree on it.

    >>> default_batch().lengths.tolist()
    [5, 4, 2]
    """
    targets = np.array([[2, 3, 4, 5, 1], [3, 0, 4, 1, 0], [4, 1, 0, 0, 0]])
    loss = np.array([[0.7, 1.5, 3.5, 1.0, 0.1], [0.1, 0.9, 0.9, 0.5, 0.1], [4.0, 0.6, 0.2, 0.2, 0.2]])[..., None]
    others = np.log((1 - np.exp(-loss)) / 5)  # log probabilities: the rest of 1 spread over the 5 other classes
    logits = np.where(np.arange(6) == targets[..., None], -loss, others).astype(np.float32)
    return Batch.from_arrays(logits=logits, targets=targets, lengths=[5, 4, 2], pad_id=0, title="Default batch")


def arrays_of(batch: Batch) -> Arrays:
    """Logits, targets and the weights of the mask that a batch declares; copies that can be written to.

    Logits and weights are float32, or float64 where the logits are; targets are int64.
    """
    dtype = np.float64 if batch.logits.dtype == np.float64 else np.float32
    weights = resolve_mask(batch, None).weights
    return Arrays(batch.logits.astype(dtype), batch.targets.copy(), weights.astype(dtype))


@dataclass(frozen=True)
class Probe:
    """A loss function with its framework and the arrays to try it on; `shift`: whether the function shifts inside."""

    function: Callable[..., Any]
    framework: Framework
    batch: Batch
    arrays: Arrays
    shift: bool = False

    def result(self, arrays: Arrays) -> Any:
        """What the function returns, as it is."""
        return self.framework.call(self.function, *self._handed(arrays))

    def value(self, arrays: Arrays) -> Array:
        """What the function returns, as float64."""
        return self._checked(as_array("loss_fn(...)", self.result(arrays)).astype(np.float64), arrays)

    def at(self, arrays: Arrays) -> At:
        """Value and gradient."""
        value, gradient = self.framework.gradient(self.function, *self._handed(arrays))
        return At(self._checked(value, arrays), gradient[:, : arrays.targets.shape[1]])

    def gradient_differs(self, before: At, after: Array, tolerance: float) -> Array:
        """Where a gradient [B, T, V] differs by more than the tolerance, relative to the largest one."""
        allowed = tolerance * np.abs(before.gradient).max(initial=0)
        allowed += self.framework.noise * max(1.0, float(np.abs(before.value).sum()))
        same: Array = np.abs(after - before.gradient) <= allowed
        return ~same

    def _handed(self, arrays: Arrays) -> Arrays:
        return arrays.unshifted() if self.shift else arrays

    def _checked(self, value: Array, arrays: Arrays) -> Array:
        if value.size == 1 and value.shape != arrays.targets.shape[: value.ndim]:
            return value.reshape(())
        if value.ndim > 2 or value.shape != arrays.targets.shape[: value.ndim]:
            rows, timesteps = arrays.targets.shape
            raise InputError(
                f"`loss_fn` must return one number, [B] = ({rows},) or [B, T] = ({rows}, {timesteps}); got shape "
                f"{value.shape}. If [B] was divided by [B, 1], or [B·T] multiplied by [B·T, 1], this is RED07."
            )
        return value


def probe(loss_fn: Callable[..., Any], batch: Any, framework: str | None, shift: bool = False) -> Probe:
    """Find out the framework of a loss function, and make the arrays to call it with.

    Raises:
        InputError: if `batch` is no Batch, or the framework can't be found out.
    """
    batch = default_batch() if batch is None else batch
    if not isinstance(batch, Batch):
        raise InputError(
            f"`batch` must be a lossviz.Batch; got a {type(batch).__name__}. "
            "Pass `Batch.from_arrays(logits=..., targets=..., lengths=...)`, or leave it out."
        )
    arrays = arrays_of(batch)
    found = framework_of("loss_fn", loss_fn, framework, *(arrays.unshifted() if shift else arrays))
    if found.name == "numpy":  # central differences need the digits
        arrays = Arrays(arrays.logits.astype(np.float64), arrays.targets, arrays.weights.astype(np.float64))
    return Probe(loss_fn, found, batch, arrays, shift)


def differs(before: Array, after: Array, tolerance: float) -> Array:
    """Where two results differ by more than the tolerance, relative to numbers above 1; NaN differs from any number.

    >>> differs(np.array([1.0, np.nan, 1e6]), np.array([1.1, np.nan, 1e6 + 1]), 1e-5).tolist()
    [True, False, False]
    """
    with np.errstate(invalid="ignore"):
        close = np.abs(after - before) <= tolerance * np.maximum(1, np.abs(before))
    same: Array = close | (before == after) | (np.isnan(before) & np.isnan(after))
    return ~same
