import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given
from hypothesis import strategies as st

from lossviz.engine import sigmoid_loss, softmax_loss
from lossviz.errors import InputError

RNG = np.random.default_rng(7)
LOGITS = RNG.normal(size=(2, 3, 5)) * 3
TARGETS = RNG.integers(0, 5, (2, 3))


def cross_entropy(logits, targets):
    shifted = logits - logits.max(-1, keepdims=True)
    return np.log(np.exp(shifted).sum(-1)) - np.take_along_axis(shifted, targets[..., None], -1)[..., 0]


def test_softmax_loss_is_the_cross_entropy_of_each_timestep():
    np.testing.assert_allclose(softmax_loss(LOGITS, TARGETS), cross_entropy(LOGITS, TARGETS), rtol=1e-12)


def test_softmax_loss_agrees_with_torch_under_ignore_index():
    targets = TARGETS.copy()
    targets[0, 1] = targets[1, 2] = -100
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS).permute(0, 2, 1), torch.tensor(targets), reduction="none"
    )
    np.testing.assert_allclose(softmax_loss(LOGITS, targets, targets != -100), expected.numpy(), rtol=1e-12)


def test_softmax_loss_agrees_with_keras():
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="none")
    x = LOGITS.astype("float32")
    np.testing.assert_allclose(softmax_loss(x, TARGETS), loss(TARGETS, x).numpy(), rtol=1e-6)


@given(st.floats(-50, 50), st.integers(0, 2**31))
def test_softmax_loss_does_not_change_when_a_constant_is_added_to_a_row(constant, seed):
    x = np.random.default_rng(seed).normal(size=(1, 2, 4))
    np.testing.assert_allclose(softmax_loss(x + constant, [[0, 3]]), softmax_loss(x, [[0, 3]]), atol=1e-12)


@given(st.permutations(range(5)))
def test_softmax_loss_does_not_change_when_classes_are_renamed(order):
    renamed = np.argsort(order)[TARGETS]
    expected = softmax_loss(LOGITS, TARGETS)
    np.testing.assert_allclose(softmax_loss(LOGITS[..., order], renamed), expected, atol=1e-12)


@pytest.mark.parametrize("weights", [[[2, 0, -1]], [[True, False, True]], np.array([[0.5, 0, 254]], "float16")])
def test_softmax_loss_multiplies_by_weights_of_any_dtype(weights):
    x, y = LOGITS[:1], TARGETS[:1]
    expected = np.asarray(weights, float) * cross_entropy(x, y)
    np.testing.assert_allclose(softmax_loss(x, y, weights), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"])
def test_softmax_loss_takes_targets_of_any_integer_dtype(dtype):
    np.testing.assert_array_equal(softmax_loss(LOGITS, TARGETS.astype(dtype)), softmax_loss(LOGITS, TARGETS))


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_softmax_loss_widens_half_precision(dtype):
    x = LOGITS.astype(dtype)
    loss = softmax_loss(x, TARGETS)
    assert tf.float32 == loss.dtype
    np.testing.assert_allclose(loss, cross_entropy(x.astype(float), TARGETS), rtol=1e-5)


@pytest.mark.parametrize("poison", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("label", [-100, -1, 5, 2**32])
@pytest.mark.parametrize("jit", [None, False, True])
def test_softmax_loss_of_weight_zero_is_silent_in_value_and_gradient(poison, label, jit):
    x, y, w = LOGITS.copy(), TARGETS.copy(), np.ones((2, 3))
    x[0, 1], y[0, 1], w[0, 1] = poison, label, 0
    x, y, w = tf.constant(x), tf.constant(y), tf.constant(w)
    loss = softmax_loss if jit is None else tf.function(softmax_loss, jit_compile=jit)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x, y, w)
    gradient = tape.gradient(value, x).numpy()
    probabilities = tf.nn.softmax(LOGITS).numpy() - np.eye(5)[TARGETS]
    probabilities[0, 1] = 0
    assert value.numpy()[0, 1] == 0.0
    np.testing.assert_allclose(gradient, probabilities, atol=1e-12)


def test_softmax_loss_names_the_first_target_out_of_range_that_counts():
    with pytest.raises(InputError) as error:
        softmax_loss(np.zeros((2, 3, 4)), [[0, 1, 9], [-1, 0, 0]], [[1, 1, 0], [1, 1, 1]])
    assert str(error.value) == (
        "`targets` must lie in [0, 4), the classes of `logits`; `targets[1, 0]` (row 1, timestep 0) is -1, and its "
        "weight is not 0. Fix it, or give it the weight 0."
    )


def test_softmax_loss_asserts_targets_inside_tf_function():
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"`targets` must lie in \[0, V\) where the weight is not 0"
    ):
        tf.function(softmax_loss)(tf.zeros([1, 2, 3]), tf.constant([[0, 3]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": np.zeros((2, 3))}, "`logits` must have 3 axes [batch, time, classes]; got shape (2, 3)."),
        ({"logits": np.zeros((2, 3, 0))}, "`logits` must have at least one class; got shape (2, 3, 0)."),
        (
            {"logits": np.zeros((2, 3, 4), int)},
            ("`logits` must be floating point; got int64. Pass `logits.astype('float32')`."),
        ),
        (
            {"targets": np.zeros((3, 2), int)},
            (
                "`targets` must have shape (2, 3), the first two axes of `logits`; got "
                "(3, 2). If time comes first, pass `targets.T`."
            ),
        ),
        ({"targets": np.zeros((2, 3))}, "`targets` must hold integers; got float64. Pass `targets.astype('int64')`."),
        (
            {"targets": np.zeros((1, 6), int)},
            (
                "`targets` must have shape (2, 3), the first two axes of `logits`; got "
                "(1, 6). Pass `targets.reshape(2, 3)` if the order is right."
            ),
        ),
        (
            {"weights": np.ones((2, 1))},
            (
                "`weights` must have shape (2, 3), the first two axes of `logits`; got (2, 1). "
                "Pass `np.broadcast_to(weights, (2, 3))` if one value holds for a whole axis."
            ),
        ),
        ({"weights": np.ones(6)}, "`weights` must have 2 axes [batch, time]; got shape (6,)."),
        (
            {"weights": [[1, 1, np.nan], [1, 1, 1]]},
            ("`weights` must not be NaN; `weights[0, 2]` is. Give that timestep the weight 0."),
        ),
        (
            {"weights": [["a", "b", "c"]]},
            (
                "`weights` must hold plain numbers; got an array of dtype <U1. Convert it "
                "first, for example with `np.asarray(..., dtype='float32')`."
            ),
        ),
    ],
)
def test_softmax_loss_refuses_what_does_not_fit(change, message):
    arguments = {"logits": np.zeros((2, 3, 4)), "targets": np.zeros((2, 3), int), "weights": np.ones((2, 3))} | change
    with pytest.raises(InputError) as error:
        softmax_loss(**arguments)
    assert message == str(error.value)


def test_sigmoid_loss_agrees_with_torch():
    x, z, w = LOGITS[0], (LOGITS[1] > 0).astype(int), RNG.normal(size=(3, 5))
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(x), torch.tensor(z, dtype=torch.float64), reduction="none"
    )
    np.testing.assert_allclose(sigmoid_loss(x, z), expected.numpy(), rtol=1e-12)
    np.testing.assert_allclose(sigmoid_loss(x, z, w), w * expected.numpy(), rtol=1e-12)


def test_sigmoid_loss_of_weight_zero_is_silent_in_value_and_gradient():
    x = tf.constant([np.nan, np.inf, 0.0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = sigmoid_loss(x, [1, 0, 1], [0, 0, 1])
    np.testing.assert_allclose(loss, [0, 0, np.log(2)], rtol=1e-6)
    assert tape.gradient(loss, x).numpy().tolist() == [0.0, 0.0, -0.5]


def test_sigmoid_loss_refuses_another_shape():
    with pytest.raises(InputError) as error:
        sigmoid_loss(np.zeros((2, 1)), [0, 1])
    assert str(error.value) == (
        "`labels` must have shape (2, 1), the shape of `logits`; got (2,). Pass `labels.reshape(2, 1)` if the order is "
        "right."
    )
