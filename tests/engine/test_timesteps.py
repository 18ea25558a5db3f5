import dataclasses

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz.engine import _graph, per_timestep
from lossviz.errors import InputError
from lossviz.timesteps import Timesteps
from tests.engine._oracle import confident, confidently_wrong, numbers, relative_error

FIELDS = [field.name for field in dataclasses.fields(Timesteps)]
REALS = ["loss", "probability", "entropy", "gradient_norm"]
INF, NAN = np.inf, np.nan


def assert_right(logits, targets, tolerance):
    actual = per_timestep(logits[None], targets[None])
    expected = numbers(logits, targets)
    for name in REALS:
        assert relative_error(getattr(actual, name)[0], expected[name]) <= tolerance, name
    width = expected["top_classes"].shape[1]
    for name in ("rank", "non_finite"):
        np.testing.assert_array_equal(getattr(actual, name)[0], expected[name])
    np.testing.assert_array_equal(actual.top_classes[0, :, :width], expected["top_classes"])
    probabilities = actual.top_probabilities[0, :, :width]
    np.testing.assert_allclose(probabilities, expected["top_probabilities"].astype(float), rtol=1e-9)


@pytest.mark.parametrize("classes", [1, 2, 3, 4, 5, 6, 40])
@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32, np.float64])
def test_per_timestep_is_right_for_any_dtype_and_few_classes(classes, dtype):
    rng = np.random.default_rng(classes)
    assert_right((rng.normal(size=(30, classes)) * 4).astype(dtype), rng.integers(0, classes, 30), 1e-12)


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_per_timestep_keeps_its_digits_when_the_model_is_sure(offset):
    for make in (confident, confidently_wrong):
        logits, targets = make(np.random.default_rng(0), 60, 30, offset)
        assert_right(logits, targets, 1e-11)


def test_per_timestep_counts_a_class_at_minus_infinity_as_impossible():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 12)), rng.integers(0, 4, 20)
    x[:, 6:] = -INF
    assert_right(x, y, 1e-12)


def test_per_timestep_has_these_dtypes_and_shapes():
    shapes = {name: (getattr(NUMBERS, name).dtype.name, getattr(NUMBERS, name).shape) for name in FIELDS}
    assert shapes == {
        "loss": ("float64", (1, 2)),
        "probability": ("float64", (1, 2)),
        "entropy": ("float64", (1, 2)),
        "gradient_norm": ("float64", (1, 2)),
        "rank": ("int32", (1, 2)),
        "non_finite": ("int32", (1, 2)),
        "top_classes": ("int32", (1, 2, 5)),
        "top_probabilities": ("float64", (1, 2, 5)),
    }


NUMBERS = per_timestep(np.log([[[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]]), np.array([[0, 1]]))


def test_per_timestep_of_a_known_distribution():
    np.testing.assert_allclose(NUMBERS.loss, [[np.log(2), np.log(4)]], rtol=1e-14)
    np.testing.assert_allclose(NUMBERS.probability, [[0.5, 0.25]], rtol=1e-14)
    np.testing.assert_allclose(NUMBERS.entropy, [[1.5 * np.log(2)] * 2], rtol=1e-14)
    np.testing.assert_allclose(NUMBERS.gradient_norm, [[0.375**0.5, 0.875**0.5]], rtol=1e-14)
    assert NUMBERS.rank.tolist() == [[1, 2]]  # a tie with another class does not push it back
    assert NUMBERS.top_classes.tolist() == [[[0, 1, 2, -1, -1], [2, 0, 1, -1, -1]]]
    np.testing.assert_allclose(NUMBERS.top_probabilities, [[[0.5, 0.25, 0.25, 0, 0]] * 2], rtol=1e-14)


def test_per_timestep_agrees_with_torch_and_tensorflow():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(3, 4, 6)), rng.integers(0, 6, (3, 4))
    actual = per_timestep(x, y)
    tensor = torch.tensor(x, requires_grad=True)
    loss = torch.nn.functional.cross_entropy(tensor.permute(0, 2, 1), torch.tensor(y), reduction="none")
    loss.sum().backward()
    np.testing.assert_allclose(actual.loss, loss.detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(actual.gradient_norm, tensor.grad.norm(dim=-1).numpy(), rtol=1e-12)
    entropy = torch.distributions.Categorical(logits=tensor.detach()).entropy()
    np.testing.assert_allclose(actual.entropy, entropy.numpy(), rtol=1e-12)
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=x)
    np.testing.assert_allclose(actual.loss, expected.numpy(), rtol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**31), st.floats(-1e3, 1e3))
def test_per_timestep_does_not_change_when_a_constant_is_added_to_a_row(seed, constant):
    rng = np.random.default_rng(seed)
    x, y = np.round(rng.normal(size=(2, 3, 7)) * 64) / 64, rng.integers(0, 7, (2, 3))
    shifted, expected = per_timestep(x + np.round(constant), y), per_timestep(x, y)  # exact in binary
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(shifted, name), getattr(expected, name))


@settings(deadline=None, max_examples=40)
@given(st.permutations(range(6)), st.integers(0, 2**31))
def test_per_timestep_does_not_depend_on_the_order_of_timesteps(order, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(1, 6, 7)), rng.integers(0, 7, (1, 6))
    expected, actual = per_timestep(x, y), per_timestep(x[:, order], y[:, order])
    for name in FIELDS:
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name)[:, order], rtol=1e-13)


@pytest.mark.parametrize("label", [-100, -1, 4, 2**32, 2**32 + 1])
def test_per_timestep_of_a_target_that_is_no_class(label):
    x = np.log([[[0.5, 0.25, 0.125, 0.125]]])
    actual = per_timestep(x, np.array([[label]]))
    reals = [getattr(actual, name).item() for name in REALS]
    np.testing.assert_allclose(reals, [NAN, NAN, 1.75 * np.log(2), NAN], rtol=1e-14)
    assert actual.rank.item() == 0
    assert actual.top_classes[0, 0].tolist() == [0, 1, 2, 3, -1]
    np.testing.assert_allclose(actual.top_probabilities[0, 0], [0.5, 0.25, 0.125, 0.125, 0], rtol=1e-14)


BROKEN = [[0.0, NAN, 1.0], [NAN, 0.0, 1.0], [0.0, INF, 1.0], [INF, 0.0, 1.0], [INF, INF, INF], [-INF, -INF, -INF]]


@pytest.mark.parametrize("row", BROKEN)
def test_per_timestep_of_a_row_that_has_no_distribution(row):
    actual = per_timestep(np.array([[row]]), np.array([[0]]))
    assert [bool(np.isnan(getattr(actual, name).item())) for name in REALS] == [True] * 4
    assert np.sum(~np.isfinite(row)) == actual.non_finite.item()
    expected = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=[row])
    assert np.isnan(expected.numpy().item())


def test_per_timestep_orders_nan_last():
    actual = per_timestep(np.array([[[NAN, 1.0, INF, 2.0]]]), np.array([[1]]))
    assert actual.top_classes[0, 0].tolist() == [2, 3, 1, 0, -1]


def test_per_timestep_of_an_impossible_target():
    actual = per_timestep(np.array([[[-INF, 0.0, 0.0]]]), np.array([[0]]))
    reals = [getattr(actual, name).item() for name in REALS]
    np.testing.assert_allclose(reals, [INF, 0, np.log(2), 1.5**0.5], rtol=1e-14)
    assert (actual.rank.item(), actual.non_finite.item()) == (3, 1)
    np.testing.assert_allclose(actual.top_probabilities[0, 0], [0.5, 0.5, 0, 0, 0], rtol=1e-14)


def test_per_timestep_of_the_only_possible_class():
    actual = per_timestep(np.array([[[-INF, 3.0, -INF]]]), np.array([[1]]))
    assert [getattr(actual, name).item() for name in REALS] == [0.0, 1.0, 0.0, 0.0]


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (0, 0, 1)])
def test_per_timestep_of_an_empty_batch_is_empty(shape):
    seen = []
    actual = per_timestep(np.zeros(shape), np.zeros(shape[:2], int), progress=lambda *done: seen.append(done))
    assert seen == []
    assert shape[:2] == actual.loss.shape
    assert (*shape[:2], 5) == actual.top_classes.shape


def test_per_timestep_does_not_trace_again_for_another_shape():
    before = _graph._graph()
    for shape in [(1, 1, 1), (2, 3, 4), (4, 10, 20)]:
        per_timestep(np.zeros(shape), np.zeros(shape[:2], int))
    assert before is _graph._graph()


def test_per_timestep_reads_arrays_that_are_transposed_read_only_or_byte_swapped():
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(3, 4, 5)), rng.integers(0, 5, (3, 4))
    expected = per_timestep(x, y).loss
    frozen = x.copy()
    frozen.flags.writeable = False
    for other in (np.asfortranarray(x), x.swapaxes(0, 1).copy().swapaxes(0, 1), x.astype(">f8"), frozen):
        np.testing.assert_array_equal(per_timestep(other, y).loss, expected)


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        (
            np.zeros((2, 3)),
            np.zeros((2, 3), int),
            "`logits` must have shape [B, T, V] with at least one class; got (2, 3).",
        ),
        (
            np.zeros((2, 3, 0)),
            np.zeros((2, 3), int),
            "`logits` must have shape [B, T, V] with at least one class; got (2, 3, 0).",
        ),
        (
            np.zeros((2, 3, 4), int),
            np.zeros((2, 3), int),
            "`logits` must be float16, bfloat16, float32 or float64; got int64. Pass `logits.astype('float32')`.",
        ),
        (
            np.zeros((2, 3, 4)),
            np.zeros((3, 2), int),
            "`targets` must have shape (2, 3), the first two axes of `logits`; got (3, 2).",
        ),
        (
            np.zeros((2, 3, 4)),
            np.zeros((2, 3)),
            "`targets` must hold integers; got float64. Pass `targets.astype('int64')`.",
        ),
    ],
)
def test_per_timestep_refuses_what_does_not_fit(logits, targets, message):
    with pytest.raises(InputError) as error:
        per_timestep(logits, targets)
    assert message == str(error.value)
