"""The framework that a user's function is written in: how to make its arrays and gradients; imported when used."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lossviz.arrays import as_array
from lossviz.errors import InputError, not_one_of
from lossviz.testing._messages import reason_of

__all__ = ["FRAMEWORKS", "Framework", "framework_of"]

Array = np.ndarray
Function = Callable[..., Any]
STEP = 2.0**-6  # a power of two: z ± STEP is exact; large, because a loss may have been computed in float32
MOST_LOGITS = 20_000  # central differences take two calls a logit


@dataclass(frozen=True)
class Framework:
    """How to call a function and differentiate it.

    Attributes:
        name: what `framework=` calls it.
        package: the first word of its arrays' modules.
        tensor: NumPy array → its array.
        differentiate: (function, arrays) → the result, and its gradient with respect to the first array, or None.
        noise: the uncertainty of a gradient where the loss is 1.
    """

    name: str
    package: str
    tensor: Callable[[Array], Any]
    differentiate: Callable[[Function, list[Any]], tuple[Any, Any]]
    noise: float = 0.0

    def call(self, function: Function, *arrays: Array) -> Any:
        """The function's result on its own arrays."""
        with np.errstate(all="ignore"):
            return function(*map(self.tensor, arrays))

    def gradient(self, function: Function, *arrays: Array) -> tuple[Array, Array]:
        """The function's result and the gradient of its sum with respect to the first array, in float64.

        Raises:
            InputError: if the result is not connected to the first array.
        """
        with np.errstate(all="ignore"):
            value, gradient = self.differentiate(function, [self.tensor(array) for array in arrays])
        if gradient is None:
            kind = type(value).__name__
            raise InputError(
                f"`loss_fn` must return a result that can be differentiated by `logits`; got one of type {kind}. "
                "Return the tensor itself, before `.item()`, `.numpy()`, `.detach()` or `float`."
            )
        return tuple(as_array("loss_fn(...)", part).astype(np.float64) for part in (value, gradient))  # type: ignore[return-value]


def _numpy_difference(function: Function, arrays: list[Any]) -> tuple[Any, Any]:
    first, *others = arrays
    if first.size > MOST_LOGITS:
        raise InputError(
            f"`batch` must have at most {MOST_LOGITS:,} logits if `loss_fn` is NumPy code, whose gradients are "
            f"central differences; got {first.size:,}. Take fewer sequences, or a smaller vocabulary."
        )
    value, gradient = function(first.copy(), *others), np.zeros(first.shape)
    for place in np.ndindex(first.shape):
        ends = []
        for step in (STEP, -STEP):
            moved = first.copy()
            moved[place] += step
            ends.append(np.sum(function(moved, *others)))
        gradient[place] = (ends[0] - ends[1]) / (2 * STEP)
    return value, gradient


def _tensorflow_tensor(array: Array) -> Any:
    import tensorflow as tf

    return tf.constant(array)


def _tensorflow_gradient(function: Function, arrays: list[Any]) -> tuple[Any, Any]:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(arrays[0])
        value = function(*arrays)
        total = tf.reduce_sum(value)
    gradient = tape.gradient(total, arrays[0])
    return value, None if gradient is None else tf.convert_to_tensor(gradient)


def _torch_tensor(array: Array) -> Any:
    import torch

    return torch.tensor(array)


def _torch_gradient(function: Function, arrays: list[Any]) -> tuple[Any, Any]:
    import torch

    value = function(arrays[0].requires_grad_(), *arrays[1:])
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return value, None
    return value, torch.autograd.grad(value.sum(), arrays[0], allow_unused=True)[0]


def _jax_tensor(array: Array) -> Any:
    import jax

    return jax.numpy.asarray(array)


def _jax_gradient(function: Function, arrays: list[Any]) -> tuple[Any, Any]:
    import jax

    try:
        value, pullback = jax.vjp(lambda first: function(first, *arrays[1:]), arrays[0])
    except (jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError) as error:
        raise InputError(
            f"`loss_fn` could not be differentiated by `logits` ({type(error).__name__}: {reason_of(error)}). "
            "Keep what depends on `logits` in JAX: no `float`, `int` or `np.asarray` of it."
        ) from error
    if not isinstance(value, jax.Array):
        return value, None
    if not jax.numpy.issubdtype(value.dtype, jax.numpy.floating):
        return value.dtype.type(0), None
    return value, pullback(jax.numpy.ones_like(value))[0]


FRAMEWORKS = (
    Framework("numpy", "numpy", np.copy, _numpy_difference, noise=5e-6),
    Framework("tensorflow", "tensorflow", _tensorflow_tensor, _tensorflow_gradient),
    Framework("pytorch", "torch", _torch_tensor, _torch_gradient),
    Framework("jax", "jax", _jax_tensor, _jax_gradient),
)


def framework_of(argument: str, function: Function, name: str | None, *arrays: Array) -> Framework:
    """The named framework, else the one whose arrays the function returns when it is called with NumPy arrays.

    Args:
        argument: what the function is called in messages.
        function: the user's.
        name: one of the names of `FRAMEWORKS`, or None.
        arrays: what to call it with.

    Raises:
        InputError: if there is no such framework, or the function can't be called with NumPy arrays.

    >>> framework_of("loss_fn", lambda z: z.sum(), None, np.zeros(2)).name
    'numpy'
    """
    if name is not None:
        found = next((framework for framework in FRAMEWORKS if framework.name == name), None)
        if found is None:
            raise InputError(not_one_of("framework", name, [framework.name for framework in FRAMEWORKS]))
        return found
    return _returned(argument, _called(argument, function, arrays))


def _called(argument: str, function: Function, arrays: tuple[Array, ...]) -> Any:
    try:
        with np.errstate(all="ignore"):
            return function(*map(np.copy, arrays))
    except Exception as error:
        raise InputError(
            f"`{argument}` could not be called with NumPy arrays ({type(error).__name__}: {reason_of(error)}). "
            'If it takes tensors, say which: framework="tensorflow", "pytorch" or "jax".'
        ) from error


def _returned(argument: str, result: Any) -> Framework:
    first = result[0] if isinstance(result, (tuple, list)) and result else result
    root = type(first).__module__.split(".")[0]
    package = "numpy" if isinstance(first, (int, float)) else "jax" if root == "jaxlib" else root
    found = next((framework for framework in FRAMEWORKS if framework.package == package), None)
    if found is None:
        raise InputError(
            f"`{argument}` must return numbers of NumPy, TensorFlow, PyTorch or JAX; got a "
            f'{type(first).__module__}.{type(first).__name__}. If it calculates in one of them, say framework="…".'
        )
    return found
