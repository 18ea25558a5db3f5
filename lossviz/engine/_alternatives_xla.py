"""The path of `alternative_losses` for the largest batches: one XLA program per (rows, classes, dtype).

The sums of `_alternatives.fast_graph` in two passes over a block in cache: the second needs the first's 1 + x. The
largest logits stay out of the float32 sums and are counted instead. Half precision is rounded by `reduce_precision`,
because XLA optimises away a cast there and back.
"""

import functools
from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tensorflow.compiler.tf2xla.python import xla

from lossviz.engine._alternatives import Sums, clip, finish
from lossviz.engine._xla import GROUP, GROUP_OF_HALVES, groups

__all__ = ["compiled"]

BITS = {"in_bfloat16": (8, 7), "in_float16": (5, 10)}
"""Bits of the exponent and of the mantissa."""

LEAST_NORMAL, STEP = 2.0**-14, 2.0**-24
"""Below the first, float16 numbers are multiples of the second (subnormals), which `reduce_precision` does not
model."""

Terms = Callable[[tf.Tensor, tf.Tensor], tuple[tf.Tensor, ...]]


def compiled(rows: int, classes: int, dtype: Any) -> Any:
    """The numbers of a block as an XLA program `f(x [rows, classes], y [rows] int32)`, compiled at its first call."""
    signature = [tf.TensorSpec([rows, classes], dtype), tf.TensorSpec([rows], tf.int32)]

    def block(x: tf.Tensor, y: tf.Tensor) -> dict[str, tf.Tensor]:  # no default arguments: they cost 3 ms a call
        return _rows(tf.cast(x, tf.float32), y, GROUP_OF_HALVES if x.dtype.size == 2 else GROUP)

    return tf.function(block, input_signature=signature, jit_compile=True, autograph=False).get_concrete_function()


def _rows(x: tf.Tensor, y: tf.Tensor, group: int) -> dict[str, tf.Tensor]:
    nought = tf.zeros([], tf.float32)
    top = tf.reduce_max(x, 1)
    largest = tf.where(tf.math.is_finite(top), top, tf.zeros_like(top))
    halves = {name: _rounded(largest, name) for name in BITS}

    def first(z: tf.Tensor, columns: tf.Tensor) -> tuple[tf.Tensor, ...]:
        is_largest = z == largest[:, None]
        below = [z - largest[:, None], *(_rounded(z, name) - half[:, None] for name, half in halves.items())]
        return (
            tf.cast(is_largest, tf.float32),
            *(tf.where(is_largest, nought, tf.exp(distance)) for distance in below),
            largest[:, None] - z,
            tf.where(columns == y[:, None], nought, clip(z)),
        )

    count, rest, *rests, gap, others = tf.unstack(_summed(x, group, first))
    shared = tf.cast(tf.math.log(rest + count), tf.float32)

    def second(z: tf.Tensor, _: tf.Tensor) -> tuple[tf.Tensor]:
        p = tf.exp(
            (z - largest[:, None]) - shared[:, None]
        )  # not exp(z - m) / (1 + x): XLA would store that of `first`
        return (tf.where(z == largest[:, None], nought, tf.exp(p) - 1),)

    [powers] = tf.unstack(_summed(x, group, second))
    at_target = tf.gather(x, tf.maximum(y, 0), axis=1, batch_dims=1)
    sums = Sums(
        largest=largest,
        excess=rest + (count - 1),
        gap=gap,
        powers=powers + count * tf.math.expm1(1 / (rest + count)),
        others=others,
        at_target=at_target,
        halves={
            name: (halves[name], below + (count - 1), _rounded(at_target, name))
            for name, below in zip(BITS, rests, strict=True)
        },
    )
    is_odd = ~tf.math.is_finite(tf.add_n([top, *halves.values()]))  # float16 overflows above 65,504
    return finish(sums, x.shape[1], is_odd, tf.reduce_min(x, 1))


def _rounded(z: tf.Tensor, name: str) -> tf.Tensor:
    exponent, mantissa = BITS[name]
    rounded = xla.reduce_precision(z, exponent_bits=exponent, mantissa_bits=mantissa)
    return rounded if exponent == 8 else tf.where(tf.abs(z) < LEAST_NORMAL, tf.round(z / STEP) * STEP, rounded)


def _summed(x: tf.Tensor, group: int, terms: Terms) -> tf.Tensor:
    """Sums [n, R] over the classes of n terms, float32 within groups of columns and float64 over them."""
    return tf.add_n(
        [
            tf.cast(tf.stack(_sums(terms(x[:, first:last], tf.range(first, last)[None]))), tf.float64)
            for first, last in groups(x.shape[1], group)
        ]
    )


def _sums(terms: tuple[tf.Tensor, ...]) -> list[tf.Tensor]:
    zeros = [tf.zeros([], tf.float32)] * len(terms)
    sums: list[tf.Tensor] = xla.variadic_reduce(terms, zeros, dimensions_to_reduce=[1], reducer=_adder(len(terms)))
    return sums


@functools.cache
def _adder(count: int) -> Any:
    def add(*a: tf.Tensor) -> list[tf.Tensor]:
        return [a[i] + a[count + i] for i in range(count)]

    scalars = [tf.TensorSpec([], tf.float32)] * (2 * count)
    return tf.function(add, autograph=False).get_concrete_function(*scalars)
