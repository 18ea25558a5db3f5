"""A model's logits must not depend on padding, on other sequences, or on other documents packed into the row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.arrays import as_array, as_integers, as_lengths
from lossviz.errors import InputError, not_one_of
from lossviz.masking import length_mask
from lossviz.testing._frameworks import Framework, framework_of
from lossviz.testing._messages import cells_text, likely, size_text

__all__ = ["assert_documents_independent", "assert_model_batch_invariant"]

Array = np.ndarray
ModelFunction = Callable[..., Any]


@dataclass(frozen=True)
class _Model:
    """A model function with its framework and how far its logits may differ."""

    function: ModelFunction
    framework: Framework
    tolerance: float

    def logits(self, inputs: Array, beside: Array) -> Array:
        """[B, T, V] in float64."""
        result = self.framework.call(self.function, inputs, beside)
        logits = as_array("model_fn(...)", result).astype(np.float64)
        if logits.ndim != 3 or logits.shape[:2] != inputs.shape:
            raise InputError(f"`model_fn` must return logits of shape {(*inputs.shape, 'V')}; got {logits.shape}.")
        return logits

    def differs(self, before: Array, after: Array) -> Array:
        """The timesteps whose logits differ."""
        with np.errstate(invalid="ignore"):
            wrong: Array = (~((np.abs(after - before) <= self.tolerance) | (after == before))).any(axis=-1)
        return wrong

    def repeated(self, inputs: Array, beside: Array, cells: Array) -> Array:
        """The logits, the same in two calls."""
        first, second = (self.logits(inputs, beside) for _ in range(2))
        wrong = self.differs(first, second) & cells
        if wrong.any():
            raise AssertionError(
                f"The logits change by {size_text((second - first)[wrong])} at {cells_text(wrong)} when the model is "
                f"called again; the tolerance is {self.tolerance:g}. Turn dropout off: `training=False` in Keras, "
                "`model.eval()` in PyTorch."
            )
        return first


def assert_model_batch_invariant(
    model_fn: ModelFunction,
    inputs: Any,
    lengths: Any,
    *,
    padding_side: str = "right",
    framework: str | None = None,
    tolerance: float = 1e-3,
) -> None:
    """Check that each sequence, alone and without its padding, gets the logits that it has in the batch.

    Args:
        model_fn: (inputs [B, T], mask [B, T]) → logits [B, T, V]; the mask is int64, 1 where a token is real. A model
            that needs no mask is `lambda inputs, mask: model(inputs)`.
        inputs: [B, T] token ids.
        lengths: [B] how many tokens of each sequence are real.
        padding_side: "right" or "left", where the padding is.
        framework: "numpy", "tensorflow", "pytorch" or "jax"; by default detected, see `lossviz.testing`.
        tolerance: how far logits may differ; 1e-3 suits float32, 5e-2 bfloat16.

    Raises:
        AssertionError: with the timesteps, the size and the likely bug.
        InputError: if the model can't be called, or inputs and lengths do not fit together.

    >>> def pooled_over_padding(inputs, mask):
    ...     return np.ones(inputs.shape + (1,)) * inputs.mean(axis=1)[:, None, None]
    >>> assert_model_batch_invariant(pooled_over_padding, [[2, 4, 6], [3, 3, 0]], [3, 2])
    Traceback (most recent call last):
    AssertionError: The logits of sequence 1 change by 1.0000 at sequence 1, timestep 0, and 1 more timestep when it \
is run alone, without its padding; the tolerance is 0.001. Likely MOD06: the model reads its padding; hand the mask to \
every layer that mixes timesteps.
    """
    ids, mask = _real(inputs, lengths, padding_side)
    model = _Model(model_fn, framework_of("model_fn", model_fn, framework, ids, mask), tolerance)
    together, wrong, sizes = model.repeated(ids, mask, mask == 1), np.zeros(ids.shape, bool), np.zeros(ids.shape)
    for row in np.flatnonzero(mask.any(axis=1)).tolist():
        real = mask[row] == 1
        alone = model.logits(ids[[row]][:, real], mask[[row]][:, real])[0]
        wrong[row, real] = model.differs(together[row, real], alone)
        sizes[row, real] = np.abs(alone - together[row, real]).max(axis=-1)
        if wrong.any():
            without = ", without its padding" if not real.all() else ""
            raise AssertionError(
                f"The logits of sequence {row} change by {size_text(sizes[wrong])} at {cells_text(wrong)} when it is "
                f"run alone{without}; the tolerance is {tolerance:g}. {_cause(model, ids, mask, together, row)}"
            )


def assert_documents_independent(
    model_fn: ModelFunction,
    inputs: Any,
    segment_ids: Any,
    *,
    padding_segment: int | None = None,
    framework: str | None = None,
    tolerance: float = 1e-3,
) -> None:
    """Check that the logits of a packed document do not change when the tokens of all other documents do.

    Args:
        model_fn: (inputs [B, T], segment_ids [B, T]) → logits [B, T, V].
        inputs: [B, T] token ids.
        segment_ids: [B, T], which document of its row a token belongs to.
        padding_segment: the segment id of padding, whose logits may change; by default every id is a document.
        framework: "numpy", "tensorflow", "pytorch" or "jax"; by default detected, see `lossviz.testing`.
        tolerance: how far logits may differ; 1e-3 suits float32, 5e-2 bfloat16.

    Raises:
        AssertionError: with the timesteps, the size and the likely bug.
        InputError: if the model can't be called, or no row holds two documents.

    >>> def attends_to_all(inputs, segment_ids):  # uniform attention: the mean of what was read so far
    ...     return (inputs.cumsum(axis=1) / np.arange(1, 4))[..., None]
    >>> assert_documents_independent(attends_to_all, [[10, 2, 4]], [[0, 1, 1]])
    Traceback (most recent call last):
    AssertionError: The logits of document 1 change by 4.0000 at sequence 0, timestep 1, and 1 more timestep when the \
tokens of the other documents change; the tolerance is 0.001. Likely MOD07: the documents attend to each other; let a \
timestep attend within its own segment only.
    """
    ids = _ids(inputs)
    segments = as_integers("segment_ids", segment_ids, ids.shape)
    model = _Model(model_fn, framework_of("model_fn", model_fn, framework, ids, segments), tolerance)
    documents = [int(name) for name in np.unique(segments) if name != padding_segment]
    if not any(len(set(row.tolist()) - {padding_segment}) > 1 for row in segments):
        raise InputError("`segment_ids` must name at least two documents in one row; got one per row.")
    packed = model.repeated(ids, segments, segments != padding_segment)
    for document in documents:
        own = segments == document
        after = model.logits(np.where(own, ids, _others(ids)), segments)
        wrong = model.differs(packed, after) & own
        if wrong.any():
            raise AssertionError(
                f"The logits of document {document} change by {size_text((after - packed)[wrong])} at "
                f"{cells_text(wrong)} when the tokens of the other documents change; the tolerance is {tolerance:g}. "
                f"{likely('MOD07')}"
            )


def _cause(model: _Model, ids: Array, mask: Array, together: Array, row: int) -> str:
    """Padding on the left shifts the positions: the likely cause if other pad ids change nothing."""
    if mask[row].all():
        return "Likely the sequences are mixed: batch normalisation in training mode, or an operation over axis 0."
    if not mask[row, 0]:
        moved = model.differs(together, model.logits(np.where(mask == 1, ids, _others(ids)), mask)) & (mask == 1)
        return likely("MOD06" if moved.any() else "MOD05")
    return likely("MOD06")


def _ids(inputs: Any) -> Array:
    array = as_array("inputs", inputs)
    if array.ndim != 2:
        raise InputError(f"`inputs` must have rank 2, (sequences, timesteps); got shape {array.shape}.")
    return as_integers("inputs", array, array.shape)


def _real(inputs: Any, lengths: Any, padding_side: str) -> tuple[Array, Array]:
    """The token ids and the mask, int64, 1 where a token is real."""
    if padding_side not in ("right", "left"):
        raise InputError(not_one_of("padding_side", padding_side, ("right", "left")))
    ids = _ids(inputs)
    counted = as_lengths(lengths, len(ids))
    if counted.dtype != np.int64 or np.any((counted < 0) | (counted > ids.shape[1])):
        raise InputError(f"`lengths` must be whole numbers from 0 to {ids.shape[1]}; got {counted.tolist()}.")
    mask = length_mask(counted, ids.shape[1]).astype(np.int64)
    return ids, mask if padding_side == "right" else mask[:, ::-1].copy()


def _others(ids: Array) -> Array:
    """Another id at every place, taken from those that occur, so that the model knows it."""
    known = np.unique(ids)
    if len(known) < 2:
        raise InputError(f"`inputs` must hold at least two different ids; got {known.tolist()}.")
    others: Array = np.roll(known, -1)[np.searchsorted(known, ids)]
    return others
