"""Assertions about a loss function or a model, for the test suite of whoever wrote it.

>>> import numpy as np
>>> from lossviz.testing import assert_no_gradient_on_padding
>>> def loss_fn(logits, targets, weights):
...     return (np.where(weights > 0, logits[..., 0], 0) ** 2).sum() / weights.sum()
>>> assert_no_gradient_on_padding(loss_fn)

`loss_fn(logits, targets, weights)` takes [B, T, V] floats, [B, T] integers (int64) and [B, T] weights in the dtype of
the logits, 0 at padding; the assertions hand it arrays of its framework, and differentiate it there. JAX makes them
32 bits wide where `jax_enable_x64` is off.

The framework is detected by calling the function with NumPy arrays, which NumPy, TensorFlow, Keras and JAX functions
accept, and looking at the type of the result. PyTorch functions do not accept them: pass `framework="pytorch"`. A Keras
function belongs to Keras' backend. NumPy has no autodiff: its gradients are central differences in float64, two calls
per logit.

Without a batch, a small one is used (`default_batch`): 3 sequences × 5 timesteps × 6 classes, lengths 5, 4 and 2, and a
real target that has the pad id.
"""

from lossviz.testing._probe import default_batch
from lossviz.testing.accumulation import assert_accumulation_invariant
from lossviz.testing.convention import assert_convention
from lossviz.testing.models import assert_documents_independent, assert_model_batch_invariant
from lossviz.testing.padding import assert_no_gradient_on_padding, assert_padding_invariant
from lossviz.testing.rows import assert_batch_invariant

__all__ = [
    "assert_accumulation_invariant",
    "assert_batch_invariant",
    "assert_convention",
    "assert_documents_independent",
    "assert_model_batch_invariant",
    "assert_no_gradient_on_padding",
    "assert_padding_invariant",
    "default_batch",
]
