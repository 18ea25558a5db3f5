"""Which timesteps count, and by how much: one rule per name of `Settings.mask`."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lossviz.batch import Batch
from lossviz.errors import SettingsError
from lossviz.settings import MASKS

__all__ = [
    "FROM_TARGETS",
    "Masking",
    "gather_last",
    "impossible_rows",
    "length_mask",
    "real_timesteps",
    "resolve_mask",
    "sequence_ends",
]

Array = np.ndarray


@dataclass(frozen=True)
class Masking:
    """The weights that the loss is multiplied by, and what is odd about them.

    Attributes:
        name: one of `MASKS`.
        weights: [B, T] float64; 0 where a timestep does not count.
        impossible: [B, T] bool, where the lengths are in use, the rows whose length can't be (`impossible_rows`).
        disagreement: [B, T] bool, where `weights` and `lengths` say different things.
    """

    name: str
    weights: Array
    impossible: Array
    disagreement: Array


def length_mask(lengths: Array, timesteps: int) -> Array:
    """True before the end of each sequence: mask[b, t] = t < trunc(lengths[b]), [B, T].

    Like `tf.sequence_mask` it clamps lengths below 0 and above T, and drops a fraction.

    >>> length_mask(np.array([3, 1]), 4).astype(int).tolist()
    [[1, 1, 1, 0], [1, 0, 0, 0]]
    """
    mask: Array = np.arange(timesteps) < np.trunc(lengths)[:, None]
    return mask


def resolve_mask(batch: Batch, mask: str | None) -> Masking:
    """The weights [B, T] that a mask gives on a batch; None is what the batch declares.

    Raises:
        SettingsError: if the batch does not have what the mask needs.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 4)), targets=[[1, 2, 0]], pad_id=0)
    >>> resolve_mask(batch, None).weights.tolist()
    [[1.0, 1.0, 0.0]]
    """
    name = mask or batch.declared_mask
    weights = _RULES[name](batch)
    nowhere = np.zeros(weights.shape, bool)
    impossible = impossible_rows(batch) if name == "lengths" else nowhere
    return Masking(name, weights, impossible, _disagreement(batch, nowhere))


def real_timesteps(batch: Batch, mask: str | None) -> Array:
    """Where a mask counts a timestep, before a classifier reads one of them, [B, T] bool.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 1)), targets=[[1, 1, 1]], lengths=[2])
    >>> real_timesteps(batch, "lengths").tolist()
    [[True, True, False]]
    """
    real: Array = resolve_mask(batch, mask).weights != 0
    return real


def sequence_ends(batch: Batch, mask: str, unmasked: Array) -> Array:
    """Where each sequence ends, [B]: its length where lengths say so, else just after its last unmasked timestep.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 3, 4)), targets=[[1, 2, 0]], pad_id=0)
    >>> sequence_ends(batch, "nonpad", np.array([[True, True, False]])).tolist()
    [2]
    """
    timesteps = unmasked.shape[1]
    if batch.lengths is not None and mask in ("lengths", "weights"):
        ends: Array = np.clip(np.trunc(batch.lengths), 0, timesteps).astype(int)
    else:
        ends = np.where(unmasked, np.arange(1, timesteps + 1), 0).max(axis=1, initial=0)
    return ends


def impossible_rows(batch: Batch) -> Array:
    """The rows whose length can't be, below 0, above T, or fractional, [B, T] bool; none where there are no lengths.

    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [1, 2]], lengths=[2, 3])
    >>> impossible_rows(batch).tolist()
    [[False, False], [True, True]]
    """
    if batch.lengths is None:
        return np.zeros(batch.targets.shape, bool)
    lengths, timesteps = batch.lengths, batch.shape[1]
    odd = (lengths < 0) | (lengths > timesteps) | (lengths != np.trunc(lengths))
    return np.repeat(odd[:, None], timesteps, axis=1)


def gather_last(weights: Array) -> Array:
    """1 at the last timestep that counts in each row, 0 elsewhere, [B, T]; a row where nothing counts stays 0.

    >>> gather_last(np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    counts = weights != 0
    later = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    last: Array = counts & (later == 1)
    return last.astype(np.float64)


def _from_weights(batch: Batch) -> Array:
    if batch.weights is None:
        raise _missing("weights", batch)
    return batch.weights


def _from_lengths(batch: Batch) -> Array:
    if batch.lengths is None:
        raise _missing("lengths", batch)
    return length_mask(batch.lengths, batch.shape[1]).astype(np.float64)


def _from_pad_id(batch: Batch) -> Array:
    counts: Array = batch.targets != (batch.pad_id or 0)
    return counts.astype(np.float64)


def _from_ignore_id(batch: Batch) -> Array:
    if batch.ignore_id is None:
        raise _missing("ignore_id", batch)
    counts: Array = batch.targets != batch.ignore_id
    return counts.astype(np.float64)


def _everything(batch: Batch) -> Array:
    return np.ones(batch.targets.shape)


FROM_TARGETS = ("nonpad", "ignore_id")
"""The masks that another target may change."""
_RULES: dict[str, Callable[[Batch], Array]] = {
    "lengths": _from_lengths,
    "weights": _from_weights,
    "nonpad": _from_pad_id,
    "ignore_id": _from_ignore_id,
    "none": _everything,
}
if tuple(_RULES) != tuple(MASKS):
    raise RuntimeError("every mask of Settings needs a rule here")


def _missing(name: str, batch: Batch) -> SettingsError:
    return SettingsError(
        f"`mask={name!r}` needs `{name}`, which this batch does not have. "
        f"Give it `{name}`, or use the mask that it declares: {batch.declared_mask!r}."
    )


def _disagreement(batch: Batch, nowhere: Array) -> Array:
    if batch.weights is None or batch.lengths is None:
        return nowhere
    differs: Array = (batch.weights != 0) != length_mask(batch.lengths, batch.shape[1])
    return differs
