import ast
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import jax
import keras
import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch
from lossviz.errors import InputError
from lossviz.testing import _frameworks as frameworks
from lossviz.testing import assert_no_gradient_on_padding, assert_padding_invariant, default_batch
from lossviz.testing._frameworks import FRAMEWORKS, framework_of
from lossviz.testing._probe import arrays_of, probe
from tests.golden import LOSS, golden_batch
from tests.testing import losses

ROOT = Path(frameworks.__file__).parent


def oracle():
    """The gradient of the mean over the 11 timesteps: (softmax − onehot) / 11 where they count."""
    batch = golden_batch()
    p = np.exp(batch.logits) / np.exp(batch.logits).sum(axis=2, keepdims=True)
    counts = np.arange(5) < batch.lengths[:, None]
    return (p - np.eye(6)[batch.targets]) * counts[..., None] / 11


@pytest.mark.parametrize(
    ("function", "name", "found", "tolerance"),
    [
        (losses.np_right, None, "numpy", 2e-5),
        (losses.tf_right, None, "tensorflow", 1e-7),
        (losses.keras_right, None, "tensorflow", 1e-7),
        (losses.torch_right, "pytorch", "pytorch", 1e-7),
        (losses.jax_right, None, "jax", 1e-7),
        (jax.jit(losses.jax_right), "jax", "jax", 1e-7),
    ],
)
def test_frameworks_give_the_gradient_of_the_mean(function, name, found, tolerance):
    tried = probe(function, None, name)
    here = tried.at(tried.arrays)
    assert tried.framework.name == found
    assert here.value.shape == ()
    assert here.value == pytest.approx(13.8 / 11, rel=1e-6)
    np.testing.assert_allclose(here.gradient, oracle(), atol=tolerance)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (np.sum, "numpy"),
        (lambda z: float(z.sum()), "numpy"),
        (lambda z: (z.sum(), 3), "numpy"),
        (lambda z: tf.reduce_sum(z), "tensorflow"),
        (lambda z: [tf.reduce_sum(z), tf.size(z)], "tensorflow"),
        (lambda z: keras.ops.sum(z), "tensorflow"),
        (lambda z: torch.as_tensor(z).sum(), "pytorch"),
        (lambda z: jax.numpy.sum(z), "jax"),
        (jax.jit(lambda z: (z.sum(), z.size)), "jax"),
        (lambda z: float(jax.numpy.sum(z)), "numpy"),
    ],
)
def test_frameworks_are_known_by_what_is_returned(function, name):
    assert framework_of("loss_fn", function, None, np.zeros((1, 1), np.float32)).name == name


def test_frameworks_are_handed_their_own_arrays_in_the_documented_types():
    seen = {}

    def record(name, result):
        def loss(logits, targets, weights):
            seen[name] = [type(logits)] + [
                str(a.dtype).split(".")[-1].strip("<>'\" ") for a in (logits, targets, weights)
            ]
            return result(logits, weights)

        return loss

    assert_no_gradient_on_padding(record("numpy", lambda z, w: (z[..., 0] * w).sum()), framework="numpy")
    assert_no_gradient_on_padding(
        record("pytorch", lambda z, w: (z[..., 0] * w).sum()), golden_batch(), framework="pytorch"
    )
    assert_no_gradient_on_padding(
        record("half", lambda z, w: (z[..., 0] * w).sum()),
        golden_batch(logits=golden_batch().logits.astype(np.float16)),
        framework="pytorch",
    )
    assert_no_gradient_on_padding(record("jax", lambda z, w: (z[..., 0] * w).sum()), golden_batch(), framework="jax")
    with jax.enable_x64(True):
        assert_no_gradient_on_padding(
            record("x64", lambda z, w: (z[..., 0] * w).sum()), golden_batch(), framework="jax"
        )
    assert issubclass(seen["jax"].pop(0), jax.core.Tracer)
    assert issubclass(seen["x64"].pop(0), jax.core.Tracer)
    assert seen["jax"] == ["float32", "int32", "float32"]
    assert seen["x64"] == ["float64", "int64", "float64"]
    assert seen["numpy"] == [np.ndarray, "float64", "int64", "float64"]
    assert seen["pytorch"] == [torch.Tensor, "float64", "int64", "float64"]
    assert seen["half"] == [torch.Tensor, "float32", "int64", "float32"]


def test_frameworks_functions_that_write_into_their_arrays_do_no_harm():
    def in_place(logits, targets, weights):
        logits[weights == 0] = 0
        targets[weights == 0] = 0
        return (losses.np_losses(logits, targets) * weights).sum() / weights.sum()

    assert_padding_invariant(in_place)


def test_frameworks_numpy_functions_that_compute_in_float32_pass():
    def narrow(logits, targets, weights):
        return np.float32(losses.np_right(logits.astype(np.float32), targets, weights.astype(np.float32)))

    assert_padding_invariant(narrow)


def test_frameworks_torch_functions_must_be_named():
    with pytest.raises(InputError) as caught:
        assert_padding_invariant(losses.torch_right)
    text = str(caught.value)
    assert text.startswith("`loss_fn` could not be called with NumPy arrays (TypeError: ")
    assert text.endswith('If it takes tensors, say which: framework="tensorflow", "pytorch" or "jax".')


def test_frameworks_that_are_none_are_refused():
    with pytest.raises(InputError) as caught:
        assert_padding_invariant(losses.np_right, framework="torch")
    assert str(caught.value) == (
        "`framework` must be one of 'numpy', 'tensorflow', 'pytorch', 'jax'; got 'torch'. Did you mean 'pytorch'?"
    )


@pytest.mark.parametrize(("result", "kind"), [(Decimal("1.25"), "decimal.Decimal"), ("1.25", "builtins.str")])
def test_frameworks_results_that_are_no_numbers_are_refused(result, kind):
    def loss(logits, targets, weights):
        return result

    with pytest.raises(InputError) as caught:
        assert_padding_invariant(loss)
    assert str(caught.value) == (
        f"`loss_fn` must return numbers of NumPy, TensorFlow, PyTorch or JAX; got a {kind}. "
        'If it calculates in one of them, say framework="…".'
    )


@pytest.mark.parametrize(
    ("function", "framework", "kind"),
    [
        (lambda z, y, w: losses.torch_right(z, y, w).item(), "pytorch", "float"),
        (lambda z, y, w: losses.torch_right(z, y, w).detach(), "pytorch", "Tensor"),
        (lambda z, y, w: losses.tf_right(z, y, w).numpy(), "tensorflow", "float32"),
        (lambda z, y, w: (losses.jax_right(z, y, w), 0), "jax", "tuple"),
        (lambda *arrays: arrays[1].sum(), "jax", "int32"),
        (lambda *_: 1.5, "jax", "float"),
    ],
)
def test_frameworks_results_without_a_gradient_are_refused(function, framework, kind):
    with pytest.raises(InputError) as caught:
        assert_padding_invariant(function, framework=framework)
    assert str(caught.value) == (
        f"`loss_fn` must return a result that can be differentiated by `logits`; got one of type {kind}. "
        "Return the tensor itself, before `.item()`, `.numpy()`, `.detach()` or `float`."
    )


def test_frameworks_central_differences_have_a_limit():
    batch = golden_batch(logits=np.zeros((3, 5, 2000)), targets=np.zeros((3, 5), int))
    with pytest.raises(InputError) as caught:
        assert_padding_invariant(losses.np_right, batch)
    assert str(caught.value) == (
        "`batch` must have at most 20,000 logits if `loss_fn` is NumPy code, whose gradients are central "
        "differences; got 30,000. Take fewer sequences, or a smaller vocabulary."
    )
    assert_padding_invariant(losses.torch_right, batch, framework="pytorch")


@pytest.mark.parametrize(
    ("function", "error", "reason"),
    [
        (
            lambda z, y, w: float(losses.jax_right(z, y, w)),
            "ConcretizationTypeError",
            "Abstract tracer value encountered where concrete value is expected: traced array with shape float32[]",
        ),
        (
            lambda z, y, w: np.asarray(losses.jax_right(z, y, w)),
            "TracerArrayConversionError",
            "The numpy.ndarray conversion method __array__() was called on traced array with shape float32[]",
        ),
    ],
)
def test_frameworks_jax_functions_that_leave_jax_are_refused(function, error, reason):
    with pytest.raises(InputError) as caught:
        assert_padding_invariant(function, framework="jax")
    assert str(caught.value) == (
        f"`loss_fn` could not be differentiated by `logits` ({error}: {reason}). "
        "Keep what depends on `logits` in JAX: no `float`, `int` or `np.asarray` of it."
    )


def test_frameworks_jax_as_the_backend_of_keras():
    """A Keras function is of Keras' backend, which is chosen once for a process."""
    code = (
        "import sys, keras, lossviz.testing as t\n"
        "from lossviz.testing._probe import probe\n"
        "loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction='mean_with_sample_weight')\n"
        "def right(z, y, w):\n"
        "    z, y = keras.ops.where(w[..., None] > 0, z, 0.0), keras.ops.where(w > 0, y, 0)\n"
        "    return loss(y, z, sample_weight=w)\n"
        "t.assert_no_gradient_on_padding(right)\n"
        "print(probe(right, None, None).framework.name, 'tensorflow' in sys.modules)\n"
    )
    run = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=os.environ | {"KERAS_BACKEND": "jax"})
    assert done.stdout == "jax False\n", done.stderr


def test_frameworks_are_imported_in_one_file():
    names = {"tensorflow", "keras", "torch", "jax"}
    importing = set()
    for path in ROOT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = (
                [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "") or ""]
            )
            if isinstance(node, (ast.Import, ast.ImportFrom)) and names & {m.split(".")[0] for m in modules}:
                importing.add(path.name)
    assert importing == {"_frameworks.py"}


def test_frameworks_of_a_numpy_function_none_is_loaded():
    code = (
        "import sys, lossviz.testing as t; f = lambda z, y, w: w.sum(); t.assert_padding_invariant(f); "
        "t.assert_batch_invariant(f); t.assert_accumulation_invariant(f, combine=sum); "
        "print({'tensorflow', 'keras', 'torch', 'jax', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_frameworks_default_batch_is_the_golden_one():
    batch, golden = default_batch(), golden_batch()
    assert batch.logits.dtype == np.float32
    np.testing.assert_allclose(batch.logits, golden.logits, rtol=1e-6)
    assert batch.targets.tolist() == golden.targets.tolist()
    assert batch.lengths.tolist() == golden.lengths.tolist()
    np.testing.assert_allclose(losses.np_losses(batch.logits.astype(float), batch.targets), LOSS, rtol=1e-5)


def test_frameworks_batch_hands_over_the_mask_that_it_declares():
    batch = Batch.from_arrays(logits=np.zeros((1, 3, 2)), targets=[[1, -100, 0]], ignore_id=-100)
    assert arrays_of(batch).weights.tolist() == [[1.0, 0.0, 1.0]]


def test_frameworks_what_is_no_batch_is_refused():
    with pytest.raises(InputError) as caught:
        assert_padding_invariant(losses.np_right, {"logits": 1})
    assert str(caught.value) == (
        "`batch` must be a lossviz.Batch; got a dict. "
        "Pass `Batch.from_arrays(logits=..., targets=..., lengths=...)`, or leave it out."
    )


def test_frameworks_are_four():
    assert [framework.name for framework in FRAMEWORKS] == ["numpy", "tensorflow", "pytorch", "jax"]
