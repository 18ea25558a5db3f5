"""One sigmoid logit per timestep, of which the last that counts is read: numbers, gradients and what is wrong."""

import numpy as np
import pytest
import tensorflow as tf
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz import Batch, Settings, analyze, sigmoid_loss
from lossviz.errors import SettingsError

CLASSIFICATION = Settings(reduction="classification")
close = np.testing.assert_allclose


def make(seed, scale=3.0):
    """Four sequences of five timesteps, lengths between 1 and 5."""
    random = np.random.default_rng(seed)
    return Batch.from_arrays(
        logits=random.normal(size=(4, 5, 1)) * scale,
        targets=random.integers(2, size=(4, 5)),
        lengths=random.integers(1, 6, size=4),
    )


def say(batch, chosen):
    return [(problem.kind, str(problem)) for problem in analyze(batch, chosen).problems]


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 1.0, 30.0, 500.0]))
@settings(deadline=None, max_examples=25)
def test_classification_sums_the_sigmoid_loss_of_the_last_real_timestep(seed, scale):
    batch = make(seed, scale)
    a = analyze(batch, CLASSIFICATION)
    logits, labels = batch.logits[..., 0], batch.targets.astype(float)
    everywhere = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits).numpy()
    last = (np.arange(4), batch.lengths - 1)
    close(a.batch_loss, everywhere, rtol=1e-12)
    close(a.value, everywhere[last].sum(), rtol=1e-12)
    assert (a.numerator, a.divisor, a.divisor_counts) == (a.value, 1.0, "nothing: the losses are summed")
    assert np.argwhere(a.mask).tolist() == np.transpose(last).tolist()
    close(a.unpadded_loss[a.mask], everywhere[last], rtol=1e-12)
    close(a.share.sum(), 1.0, rtol=1e-12)
    close(a.probability, np.exp(-everywhere), rtol=1e-10, atol=1e-300)
    assert a.prediction.tolist() == (logits > 0).astype(int).tolist()


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 30.0]))
@settings(deadline=None, max_examples=15)
def test_classification_gradient_is_that_of_the_sum(seed, scale):
    batch = make(seed, scale)
    rows, last = np.arange(4), batch.lengths - 1
    variable = tf.Variable(batch.logits)
    with tf.GradientTape() as tape:
        read = tf.gather_nd(variable[..., 0], np.stack([rows, last], 1))
        labels = batch.targets[rows, last].astype(float)
        loss = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=read))
    tensor = torch.tensor(batch.logits, requires_grad=True)
    torch.nn.functional.binary_cross_entropy_with_logits(
        tensor[rows, last, 0], torch.tensor(labels), reduction="sum"
    ).backward()
    norms = analyze(batch, CLASSIFICATION).gradient_norm
    close(norms, np.abs(tape.gradient(loss, variable).numpy()[..., 0]), rtol=1e-9, atol=1e-15)
    close(norms, np.abs(tensor.grad.numpy()[..., 0]), rtol=1e-9, atol=1e-15)


def test_classification_is_the_sigmoid_loss_of_the_engine():
    batch = make(0)
    a = analyze(batch, CLASSIFICATION)
    losses = sigmoid_loss(batch.logits[..., 0], batch.targets, a.mask)
    close(a.unpadded_loss, losses.numpy(), rtol=1e-12)


def test_classification_explains_the_sigmoid_as_two_classes_of_which_one_is_constant():
    batch = Batch.from_arrays(logits=[[[2.0], [-1.0]]], targets=[[1, 0]], lengths=[1], vocabulary=["only"])
    e = analyze(batch, CLASSIFICATION).explain(0, 0)
    p = 1 / (1 + np.exp(-2.0))
    close([e.loss, e.probability, e.contribution, e.share], [-np.log(p), p, -np.log(p), 1.0], rtol=1e-12)
    assert [(step.class_id, step.token, step.logit) for step in e.classes] == [(1, "1", 2.0), (0, "0", 0.0)]
    close([step.gradient for step in e.classes], [p - 1, 0.0], rtol=1e-12)
    close(e.gradient_norm, 1 - p, rtol=1e-12)


def test_classification_of_an_empty_row_reads_nothing():
    batch = Batch.from_arrays(logits=np.zeros((2, 2, 1)), targets=[[1, 1], [0, 0]], lengths=[0, 2])
    a = analyze(batch, CLASSIFICATION)
    assert a.value == pytest.approx(np.log(2), rel=1e-15)
    assert a.mask.tolist() == [[False, False], [False, True]]


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_classification_takes_other_dtypes(dtype):
    batch = Batch.from_arrays(logits=np.array([[[0.5]]], dtype), targets=[[1]])
    close(analyze(batch, CLASSIFICATION).value, np.log1p(np.exp(-0.5)), rtol=2e-6)


def test_classification_needs_one_logit(small):
    message = (
        "`reduction='classification'` needs one sigmoid logit per timestep, `logits` of shape (B, T, 1); "
        "got (2, 3, 4). For 4 classes choose 'mean', 'language_model' or 'encoder_decoder'."
    )
    for ask in (lambda: analyze(small(), CLASSIFICATION), lambda: analyze(small()).with_settings(CLASSIFICATION)):
        with pytest.raises(SettingsError) as caught:
            ask()
        assert str(caught.value) == message


@pytest.mark.parametrize("label", [2, -1])
def test_classification_label_must_be_0_or_1_where_it_is_read(label):
    logits = np.zeros((2, 3, 1))
    read = Batch.from_arrays(logits=logits, targets=[[0, label, 0], [1, 1, 1]], lengths=[2, 3])
    padding = Batch.from_arrays(logits=logits, targets=[[0, 1, label], [1, 1, 1]], lengths=[2, 3])
    assert np.isnan(analyze(read, CLASSIFICATION).value)
    assert say(read, CLASSIFICATION) == [
        (
            "label",
            (
                f"1 target is not a class from 0 to 1: {label} (once), first at sequence 0, timestep 1. "
                "1 of these timesteps counts, so the number is NaN."
            ),
        )
    ]
    assert analyze(padding, CLASSIFICATION).value == pytest.approx(2 * np.log(2), rel=1e-15)
    assert analyze(padding, CLASSIFICATION).invalid.tolist() == [[False, False, True], [False] * 3]


def test_classification_counts_only_the_timestep_that_is_read():
    batch = Batch.from_arrays(logits=np.zeros((1, 3, 1)), targets=[[1, 1, 1]], lengths=[7])
    assert say(batch, CLASSIFICATION) == [
        (
            "length",
            (
                "1 length is impossible for 3 timesteps: 7 (sequence 0). "
                "1 of these timesteps counts, so the number is NaN."
            ),
        )
    ]
