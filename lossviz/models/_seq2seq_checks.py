"""The argument checks of `Seq2SeqModel.calculate_loss`; messages use its argument names."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.errors import InputError

__all__ = ["check_batch_size", "check_shapes", "own_names"]


def check_shapes(logits: Any, dec_seq_lens: Any, classes: int) -> None:
    """Logits [B, T, classes] and lengths [B], as far as the shapes are known before running.

    Raises:
        InputError: otherwise.

    >>> check_shapes(tf.zeros([3, 4, 7]), tf.zeros([2]), classes=7)
    Traceback (most recent call last):
    lossviz.errors.InputError: `dec_seq_lens` must have shape (3,), one length for each sequence of `logits`; got (2,).
    """
    if logits.shape.rank != 3:
        raise InputError(f"`logits` must have 3 axes [batch, time, classes]; got shape {tuple(logits.shape)}.")
    if logits.shape[2] not in (None, classes):
        raise InputError(
            f"`logits` must have {classes} classes, the model's `extended_vocab_size`; got {logits.shape[2]}. "
            "Start and stop are classes too."
        )
    if not dec_seq_lens.shape.is_compatible_with(logits.shape[:1]):
        wanted, got = tuple(logits.shape[:1]), tuple(dec_seq_lens.shape)
        raise InputError(
            f"`dec_seq_lens` must have shape {wanted}, one length for each sequence of `logits`; got {got}."
        )


def check_batch_size(batch_size: Any) -> Any:
    """A whole number of at least 1, or a tensor that is known when the graph runs.

    Raises:
        InputError: otherwise.

    >>> check_batch_size(0)
    Traceback (most recent call last):
    lossviz.errors.InputError: `batch_size` must be a whole number of at least 1; got 0.
    """
    if tf.is_symbolic_tensor(batch_size):
        return batch_size
    value = batch_size.numpy() if tf.is_tensor(batch_size) else batch_size
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise InputError(f"`batch_size` must be a whole number of at least 1; got {value!r}.")
    return value


@contextmanager
def own_names(**names: str) -> Iterator[None]:
    """Reword the engine's errors with the caller's argument names: `own_names(targets="decoder_outputs")`.

    Raises:
        InputError: the engine's error, reworded.
    """
    try:
        yield
    except InputError as error:
        message = str(error)
        for engine, own in names.items():
            message = re.sub(rf"\b{engine}\b", own, message)
        raise InputError(message) from None
