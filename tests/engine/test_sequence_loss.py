import itertools

import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lossviz.engine import sequence_loss
from lossviz.errors import InputError, SettingsError

RNG = np.random.default_rng(3)
LOGITS = RNG.normal(size=(3, 4, 5)) * 2
TARGETS = RNG.integers(0, 5, (3, 4))
WEIGHTS = np.array([[1, 1, 0, 0], [2, 0.5, 1, 0], [0, 0, 0, 0]], float)
FLAGS = ("average_across_timesteps", "average_across_batch", "sum_over_timesteps", "sum_over_batch")
AT, AB, ST, SB = FLAGS
LEGAL = [(AT, AB), (ST, SB), (AT,), (AB,), (ST,), (SB,), ()]
AXES = {AT: 1, ST: 1, AB: 0, SB: 0}


def flags(*true):
    return {flag: flag in true for flag in FLAGS}


def by_hand(x, y, w, true):
    """Loops, so that no broadcasting hides anything."""
    weighted, divisor = np.zeros(w.shape), np.zeros(w.shape)
    for b, t in np.ndindex(*w.shape):
        if w[b, t]:
            weighted[b, t] = w[b, t] * (np.log(np.exp(x[b, t]).sum()) - x[b, t, y[b, t]])
            divisor[b, t] = 1 if ST in true or SB in true else w[b, t]
    if not true:
        return weighted
    axes = tuple(AXES[flag] for flag in true)
    numerator, divisor = weighted.sum(axes), divisor.sum(axes)
    return np.where(divisor == 0, 0, numerator / np.where(divisor == 0, 1, divisor))


@pytest.mark.parametrize("true", LEGAL)
@pytest.mark.parametrize("mode", ["eager", "graph", "jit", "unknown shapes"])
def test_sequence_loss_divides_as_the_flags_say(true, mode):
    def loss(x, y, w):
        return sequence_loss(x, y, w, **flags(*true))

    if mode == "unknown shapes":
        signature = [tf.TensorSpec([None] * 3, "float64"), tf.TensorSpec(None, "int64"), tf.TensorSpec(None, "float64")]
        loss = tf.function(loss, input_signature=signature)
    elif mode != "eager":
        loss = tf.function(loss, jit_compile=mode == "jit")
    actual = loss(tf.constant(LOGITS), tf.constant(TARGETS), tf.constant(WEIGHTS))
    np.testing.assert_allclose(actual, by_hand(LOGITS, TARGETS, WEIGHTS, true), rtol=1e-12)


def test_sequence_loss_has_seven_legal_combinations_of_flags():
    legal = []
    for values in itertools.product([True, False], repeat=4):
        try:
            sequence_loss(LOGITS, TARGETS, WEIGHTS, *values)
            legal.append(values)
        except SettingsError:
            pass
    assert sorted(tuple(flags(*true).values()) for true in LEGAL) == sorted(legal)


@pytest.mark.parametrize(
    ("true", "words"),
    [((AT, ST), "cannot both be True"), ((AB, SB), "cannot both be True"), ((AT, SB), "ambiguous order"),
     ((AB, ST), "ambiguous order")],
)  # fmt: skip
def test_sequence_loss_refuses_contradicting_flags(true, words):
    with pytest.raises(SettingsError, match=words):
        sequence_loss(LOGITS, TARGETS, WEIGHTS, **flags(*true))


def test_sequence_loss_agrees_with_torch_mean_over_the_weights():
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(LOGITS).permute(0, 2, 1), torch.tensor(TARGETS), reduction="none"
    ).numpy()
    actual = float(sequence_loss(LOGITS, TARGETS, WEIGHTS))
    assert pytest.approx((expected * WEIGHTS).sum() / WEIGHTS.sum(), rel=1e-12) == actual


def test_sequence_loss_agrees_with_keras_sum_over_batch_size_when_all_weights_are_one():
    expected = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)(TARGETS, LOGITS.astype("float32"))
    assert pytest.approx(float(expected), rel=1e-6) == float(sequence_loss(LOGITS, TARGETS, np.ones((3, 4))))


@settings(deadline=None, max_examples=25)
@given(arrays(float, (2, 3), elements=st.floats(0, 4)), st.integers(1, 3), st.sampled_from(LEGAL))
def test_sequence_loss_does_not_change_with_more_padding(weights, extra, true):
    x, y = LOGITS[:2, :3], TARGETS[:2, :3]
    longer = np.pad(x, ((0, 0), (0, extra), (0, 0)), constant_values=np.nan)
    padded = sequence_loss(
        longer,
        np.pad(y, ((0, 0), (0, extra)), constant_values=-100),
        np.pad(weights, ((0, 0), (0, extra))),
        **flags(*true),
    ).numpy()
    expected = sequence_loss(x, y, weights, **flags(*true)).numpy()
    if true in [(AB,), (SB,), ()]:  # time is kept: the new timesteps are 0
        expected = np.pad(expected, [(0, 0)] * (expected.ndim - 1) + [(0, extra)])
    np.testing.assert_allclose(padded, expected, rtol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.permutations(range(3)), st.sampled_from([(AT, AB), (ST, SB), (AB,), (SB,)]))
def test_sequence_loss_does_not_depend_on_the_order_of_sequences(order, true):
    order = list(order)
    expected = sequence_loss(LOGITS, TARGETS, WEIGHTS, **flags(*true))
    actual = sequence_loss(LOGITS[order], TARGETS[order], WEIGHTS[order], **flags(*true))
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 100), st.sampled_from(LEGAL))
def test_sequence_loss_scales_with_weights_unless_it_divides_by_them(scale, true):
    factor = 1 if AT in true or AB in true else scale
    expected = factor * sequence_loss(LOGITS, TARGETS, WEIGHTS, **flags(*true)).numpy()
    np.testing.assert_allclose(sequence_loss(LOGITS, TARGETS, WEIGHTS * scale, **flags(*true)), expected, rtol=1e-9)


def test_sequence_loss_admits_negative_weights():
    weights = np.array([[2.0, -1.0]])
    expected = by_hand(LOGITS[:1, :2], TARGETS[:1, :2], weights, (AT, AB))
    assert pytest.approx(float(expected)) == float(sequence_loss(LOGITS[:1, :2], TARGETS[:1, :2], weights))


@pytest.mark.parametrize("mode", ["eager", "graph", "jit"])
def test_sequence_loss_masks_in_value_and_gradient(mode):
    x, y = LOGITS.copy(), TARGETS.copy()
    x[WEIGHTS == 0], y[WEIGHTS == 0] = np.nan, -100
    loss = sequence_loss if mode == "eager" else tf.function(sequence_loss, jit_compile=mode == "jit")
    x, y, w = tf.constant(x), tf.constant(y), tf.constant(WEIGHTS)
    with tf.GradientTape() as tape:
        tape.watch(x)
        value = loss(x, y, w)
    clean = np.nan_to_num(x.numpy())
    expected = (tf.nn.softmax(clean).numpy() - np.eye(5)[TARGETS]) * WEIGHTS[..., None] / WEIGHTS.sum()
    assert pytest.approx(float(by_hand(LOGITS, TARGETS, WEIGHTS, (AT, AB)))) == float(value)
    np.testing.assert_allclose(tape.gradient(value, x), expected, atol=1e-12)


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (0, 0, 4)])
@pytest.mark.parametrize("true", LEGAL)
def test_sequence_loss_of_an_empty_batch_is_zeros_of_the_kept_axes(shape, true):
    kept = [size for axis, size in enumerate(shape[:2]) if axis not in [AXES[flag] for flag in true]]
    loss = sequence_loss(np.zeros(shape), np.zeros(shape[:2], int), np.zeros(shape[:2]), **flags(*true))
    np.testing.assert_array_equal(loss, np.zeros(kept), strict=True)


def test_sequence_loss_sums_many_half_precision_losses():
    x = np.zeros((7, 10_000, 2), np.float16)
    loss = sequence_loss(x, np.zeros(x.shape[:2], int), np.ones(x.shape[:2], np.float16))
    assert pytest.approx(np.log(2), rel=1e-5) == float(loss)


def test_sequence_loss_takes_lists():
    assert pytest.approx(np.log(2)) == float(sequence_loss([[[0.0, 0.0]]], [[1]], [[True]]))


def test_sequence_loss_calls_the_loss_function_by_keyword_with_flat_arguments():
    seen = []

    def function(*, labels, logits):
        seen.append((tuple(labels.shape), tuple(logits.shape)))
        return tf.cast(labels, tf.float64)

    loss = sequence_loss(LOGITS, TARGETS, WEIGHTS, softmax_loss_function=function)
    assert seen == [((12,), (12, 5))]
    assert pytest.approx((TARGETS * WEIGHTS).sum() / WEIGHTS.sum()) == float(loss)


def test_sequence_loss_leaves_the_labels_of_a_loss_function_unchecked():
    """One logit, labels 0 and 1: a sigmoid's. For the softmax they would be out of range."""

    def sigmoid(*, labels, logits):
        return tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.cast(labels, logits.dtype), logits=logits[:, 0])

    logits, labels, weights = np.array([[[0.5], [-1.0], [2.0]]]), np.array([[1, 0, 7]]), np.array([[1, 1, 0]])
    right = (np.log1p(np.exp(-0.5)) + np.log1p(np.exp(-1.0))) / 2
    assert float(sequence_loss(logits, labels, weights, softmax_loss_function=sigmoid)) == pytest.approx(right)
    with pytest.raises(InputError, match=r"must lie in \[0, 1\)"):
        sequence_loss(logits, labels, weights)


def test_sequence_loss_says_an_unsigned_label_as_it_was_given():
    labels = np.array([[1, 2**63 + 5]], np.uint64)
    with pytest.raises(InputError, match=f"is {2**63 + 5}, and its weight is not 0"):
        sequence_loss(np.zeros((1, 2, 4)), labels, np.ones((1, 2)))


def test_sequence_loss_refuses_a_loss_function_that_reduces():
    with pytest.raises(InputError) as error:
        sequence_loss(
            LOGITS, TARGETS, WEIGHTS, softmax_loss_function=lambda labels, logits: tf.reduce_sum(logits[labels[0]])
        )
    assert (
        str(error.value)
        == "`softmax_loss_function(labels=, logits=)` must have shape (12,), one loss per label; got ()."
    )


@pytest.mark.parametrize("name", ["targets", "weights"])
def test_sequence_loss_asserts_shapes_that_only_running_tells(name):
    signature = [
        tf.TensorSpec([None] * 3, "float64"),
        tf.TensorSpec([None] * 2, "int64"),
        tf.TensorSpec([None] * 2, "float64"),
    ]
    arguments = {"logits": LOGITS, "targets": TARGETS, "weights": WEIGHTS}
    arguments[name] = arguments[name][:, :1]
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"`{name}` must have the shape of the first two axes of"):
        tf.function(lambda x, y, w: sequence_loss(x, y, w), input_signature=signature)(*arguments.values())
