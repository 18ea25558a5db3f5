"""Shared by all losses: conversion to tensors, and strict checks of rank, dtype and shape."""

from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.arrays import as_array, is_floating
from lossviz.errors import InputError

__all__ = [
    "as_floats",
    "as_integers",
    "as_tensor",
    "as_weights",
    "require",
    "require_rank",
    "require_same_shape",
    "require_timesteps",
    "shown",
]


def as_tensor(value: Any, name: str) -> tf.Tensor:
    """Converts lists, NumPy, PyTorch and JAX arrays to a tensor; lists of floats become float64."""
    if tf.is_tensor(value) or isinstance(value, tf.Variable):
        return tf.convert_to_tensor(value)
    array = as_array(name, value)
    if array.dtype.kind == "V" and not is_floating(array.dtype):
        raise InputError(f"`{name}` must hold plain numbers; got an array of dtype {array.dtype}.")
    return tf.convert_to_tensor(array)


def as_floats(value: Any, name: str) -> tf.Tensor:
    """A floating-point tensor, float16 and bfloat16 widened to float32 (70,000 tokens sum to inf in float16)."""
    tensor = as_tensor(value, name)
    if tensor.dtype in (tf.float16, tf.bfloat16):
        return tf.cast(tensor, tf.float32)
    if tensor.dtype not in (tf.float32, tf.float64):
        way_out = f"Pass `{name}.astype('float32')`."
        raise InputError(f"`{name}` must be floating point; got {tensor.dtype.name}. {way_out}")
    return tensor


def as_integers(value: Any, name: str) -> tf.Tensor:
    """An int64 tensor from any integer dtype."""
    tensor = as_tensor(value, name)
    if not tensor.dtype.is_integer and 0 not in tensor.shape:  # an empty list has no dtype of its own
        way_out = f"Pass `{name}.astype('int64')`."
        raise InputError(f"`{name}` must hold integers; got {tensor.dtype.name}. {way_out}")
    return tf.cast(tensor, tf.int64)


def as_weights(value: Any, dtype: tf.DType, name: str = "weights") -> tf.Tensor:
    """Weights of any bool, integer or float dtype, cast to `dtype`; a NaN is an error."""
    tensor = as_tensor(value, name)
    if tensor.dtype.is_floating:
        _refuse_nan(tensor, name)
    elif not (tensor.dtype.is_integer or tensor.dtype.is_bool):
        raise InputError(f"`{name}` must be bool, integer or float; got {tensor.dtype.name}.")
    return tf.cast(tensor, dtype)


def _refuse_nan(weights: tf.Tensor, name: str) -> None:
    missing = tf.math.is_nan(weights)
    if tf.is_symbolic_tensor(weights):
        tf.debugging.assert_equal(tf.reduce_any(missing), False, f"`{name}` must not be NaN")
    elif bool(tf.reduce_any(missing)):
        place = ", ".join(str(i) for i in tf.where(missing)[0].numpy())
        raise InputError(f"`{name}` must not be NaN; `{name}[{place}]` is. Give that timestep the weight 0.")


def shown(tensor: tf.Tensor) -> tuple[int | None, ...]:
    """The static shape as a Python tuple, None where an axis is not known yet."""
    return tuple(tensor.shape.as_list())


def require(holds: bool, message: str) -> None:
    """Raises InputError with `message` unless `holds`."""
    if not holds:
        raise InputError(message)


def require_rank(tensor: tf.Tensor, name: str, axes: str) -> None:
    """Raises InputError unless the tensor has one axis per word of `axes`, such as "batch, time, classes"."""
    rank = len(axes.split(", "))
    if tensor.shape.rank is None:
        tf.debugging.assert_rank(tensor, rank, f"`{name}` must have {rank} axes [{axes}]")
    elif tensor.shape.rank != rank:
        raise InputError(f"`{name}` must have {rank} axes [{axes}]; got shape {shown(tensor)}.")


def require_same_shape(tensor: tf.Tensor, name: str, expected: tf.Tensor, origin: str) -> None:
    """Raises InputError unless `tensor` has exactly the shape of `expected`, described by `origin`.

    What is known only at run time (an axis unknown inside `tf.function`) becomes an assertion in the graph.
    """
    wanted, got = expected.shape, tensor.shape
    if not wanted.is_compatible_with(got):
        raise InputError(_mismatch(name, tuple(wanted), tuple(got), origin))
    if not (wanted.is_fully_defined() and got.is_fully_defined()):
        message = f"`{name}` must have the shape of {origin}"
        tf.debugging.assert_equal(tf.shape(tensor), tf.shape(expected), message)


def require_timesteps(logits: np.ndarray, targets: np.ndarray) -> None:
    """Raises InputError unless they are floats [B, T, V] with V ≥ 1 and integers [B, T]."""
    if logits.ndim != 3 or logits.shape[2] == 0:
        raise InputError(f"`logits` must have shape [B, T, V] with at least one class; got {logits.shape}.")
    if not is_floating(logits.dtype):
        names = "float16, bfloat16, float32 or float64"
        raise InputError(f"`logits` must be {names}; got {logits.dtype}. Pass `logits.astype('float32')`.")
    if targets.shape != logits.shape[:2]:
        expected = f"{logits.shape[:2]}, the first two axes of `logits`"
        raise InputError(f"`targets` must have shape {expected}; got {targets.shape}.")
    if targets.dtype.kind not in "iu":
        raise InputError(f"`targets` must hold integers; got {targets.dtype}. Pass `targets.astype('int64')`.")


def _mismatch(name: str, wanted: tuple[int | None, ...], got: tuple[int | None, ...], origin: str) -> str:
    way_out = ""
    if len(got) == 2 and got == wanted[::-1]:
        way_out = f" If time comes first, pass `{name}.T`."
    elif None not in wanted + got and np.prod(np.array(got, object)) == np.prod(np.array(wanted, object)):
        way_out = f" Pass `{name}.reshape{wanted}` if the order is right."
    elif len(got) == len(wanted) and all(g in (1, w) for g, w in zip(got, wanted, strict=True)):
        way_out = f" Pass `np.broadcast_to({name}, {wanted})` if one value holds for a whole axis."
    return f"`{name}` must have shape {wanted}, {origin}; got {got}.{way_out}"
