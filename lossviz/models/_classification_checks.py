"""The classifier's checks and their messages; what is known only at run time becomes an assertion in the graph."""

from typing import Any

import tensorflow as tf

from lossviz.errors import InputError

__all__ = ["checked_labels", "checked_lengths", "checked_outputs"]


def checked_outputs(lstm_outputs: Any, batch_size: Any, units: int) -> tuple[Any, Any]:
    """The forward and the backward half as float32 tensors [B, T, H].

    Raises:
        InputError: if they are no pair, or a shape does not fit.
    """
    if not isinstance(lstm_outputs, (tuple, list)) or len(lstm_outputs) != 2:
        got = f"{len(lstm_outputs)} of them" if isinstance(lstm_outputs, (tuple, list)) else type(lstm_outputs).__name__
        raise InputError(
            f"`lstm_outputs` must be a pair, the forward and the backward half, each [B, T, {units}]; got {got}. "
            "Pass what `run_lstm` returns first."
        )
    halves = tuple(tf.convert_to_tensor(half, tf.float32) for half in lstm_outputs)
    for name, half in zip(("forward", "backward"), halves, strict=True):
        if half.shape.rank != 3 or not half.shape.is_compatible_with([None, None, units]):
            raise InputError(
                f"The {name} half of `lstm_outputs` must have shape [B, T, {units}], the units of one direction; "
                f"got {_shape(half)}."
            )
    forward, backward = halves
    if not forward.shape.is_compatible_with(backward.shape):
        raise InputError(
            "The halves of `lstm_outputs` must have one shape [B, T, H]; "
            f"got {_shape(forward)} forward and {_shape(backward)} backward."
        )
    known = tf.get_static_value(batch_size)
    if known is not None and forward.shape[0] not in (None, int(known)):
        raise InputError(f"`batch_size` must be {forward.shape[0]}, the sequences of `lstm_outputs`; got {int(known)}.")
    return forward, backward


def checked_lengths(batch_size: Any, sequence_lengths: Any, outputs: Any = None) -> Any:
    """The lengths [B] as int64, each at least 1, and at most T where the outputs [B, T, H] are given.

    Raises:
        InputError: if they are not [B] integers, or one is below 1 or above T.
    """
    lengths = tf.convert_to_tensor(sequence_lengths)
    if not lengths.dtype.is_integer or lengths.shape.rank != 1:
        raise InputError(
            f"`sequence_lengths` must be integers of shape [B]; got {lengths.dtype.name} of shape {_shape(lengths)}."
        )
    known = tf.get_static_value(batch_size)
    if known is not None and lengths.shape[0] not in (None, int(known)):
        raise InputError(
            f"`sequence_lengths` must have {int(known)} entries, the `batch_size`; got {lengths.shape[0]}."
        )
    lengths = tf.cast(lengths, tf.int64)
    lengths = _refused(
        lengths,
        lengths < 1,
        "`sequence_lengths` must be at least 1: in an empty sequence there is no timestep to read; "
        "`sequence_lengths[{at}]` is {value}. Leave that sequence out.",
    )
    if outputs is None:
        return lengths
    return _refused(
        lengths,
        lengths > tf.shape(outputs, tf.int64)[1],
        f"`sequence_lengths` must be at most {outputs.shape[1] or 'T'}, the timesteps of `lstm_outputs`; "
        "`sequence_lengths[{at}]` is {value}. Count the tokens before the padding.",
    )


def checked_labels(labels: Any, logits: Any) -> Any:
    """The labels as float32, of the shape [B, 1] of the logits.

    Raises:
        InputError: if they are not [B] or [B, 1], or one is not in [0, 1].
    """
    labels = tf.cast(tf.convert_to_tensor(labels), tf.float32)
    if labels.shape.rank == 1:
        labels = labels[:, None]
    if not labels.shape.is_compatible_with(logits.shape):
        raise InputError(
            f"`labels` must have shape [B] or [B, 1], one for each of the {logits.shape[0]} logits; "
            f"got {_shape(labels)}."
        )
    flat = tf.reshape(labels, [-1])
    wrong = ~((flat >= 0) & (flat <= 1))
    message = "`labels` must be 0 or 1; the label of sequence {at} is {value:g}. Number the two classes 0 and 1."
    return tf.reshape(_refused(flat, wrong, message), tf.shape(logits))


def _refused(values: Any, wrong: Any, message: str) -> Any:
    """The values [B], unless one is wrong."""
    if tf.is_symbolic_tensor(wrong):
        plain = message.split(";")[0]
        with tf.control_dependencies([tf.debugging.Assert(~tf.reduce_any(wrong), [plain, values])]):
            return tf.identity(values)
    if bool(tf.reduce_any(wrong)):
        at = int(tf.where(wrong)[0, 0])
        raise InputError(message.format(at=at, value=values[at].numpy()))
    return values


def _shape(tensor: Any) -> str:
    return str(list(tensor.shape)) if tensor.shape.rank is not None else "an unknown shape"
