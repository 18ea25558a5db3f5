"""The language model's checks and their messages."""

from typing import Any

import numpy as np

from lossviz.errors import InputError

__all__ = ["check_ids", "check_loss_shapes", "check_range"]


def check_ids(name: str, ids: Any, max_length: int) -> None:
    """Refuses ids that are not integers [B, T] with T ≤ `max_length`."""
    if not ids.dtype.is_integer or ids.shape.rank != 2:
        raise InputError(f"`{name}` must be integers of shape [B, T]; got {ids.dtype.name} of shape {ids.shape}.")
    if ids.shape[1] is not None and ids.shape[1] > max_length:
        raise InputError(
            f"`{name}` must have at most {max_length} timesteps, the `max_length`; got {ids.shape[1]}. "
            f"Cut them, or make the model with `max_length={ids.shape[1]}`."
        )


def check_range(name: str, ids: np.ndarray, largest: int) -> None:
    """Refuses ids outside [0, `largest`], which the embedding has no row for."""
    if ids.size and (ids.min() < 0 or ids.max() > largest):
        raise InputError(
            f"`{name}` must lie in [0, {largest}], the ids of the embedding; got {ids.min()} to {ids.max()}."
        )


def check_loss_shapes(lstm_outputs: Any, binary_sequences: Any, output_sequences: Any, units: int) -> None:
    """Refuses outputs that are not [B, T, H], dense labels, and a mask of another shape than the labels."""
    outputs, mask, labels = (tuple(array.shape) for array in (lstm_outputs, binary_sequences, output_sequences))
    if len(outputs) != 3 or outputs[2] not in (None, units):
        raise InputError(f"`lstm_outputs` must have shape [B, T, {units}], as `run_lstm` gives it; got {outputs}.")
    if len(labels) == 3:
        raise InputError(
            "`output_sequences` must be sparse labels, class ids of rank 2, while the logits have rank 3: the cross "
            f"entropy is the sparse one; got shape {labels}. Pass `output_sequences.argmax(-1)`."
        )
    if not _fit(labels, outputs[:2]):
        raise InputError(
            f"`output_sequences` must have shape {outputs[:2]}, the first two axes of `lstm_outputs`; got {labels}."
        )
    if not _fit(mask, labels):
        raise InputError(f"`binary_sequences` must have shape {labels}, that of the labels; got {mask}.")


def _fit(shape: tuple[int | None, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether two shapes may be the same; an axis that a graph does not know yet fits any."""
    return len(shape) == len(wanted) and all(a == b or None in (a, b) for a, b in zip(shape, wanted, strict=True))
