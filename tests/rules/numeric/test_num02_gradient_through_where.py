"""NUM02: the gradient through the branch of `where` that is not taken."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.rules.asking import finding, good, losses, places, reason, sample, silent

INF, NAN = np.inf, np.nan


def leaking(reported="0.2434", value=NAN):
    logits = good().logits.copy()
    logits[0, 5] = value
    return good(logits=logits, reported=reported)


def test_num02_the_gradient_of_where_is_nan_in_tensorflow_and_pytorch():
    v = tf.Variable(0.0)
    with tf.GradientTape(persistent=True) as tape:
        once = tf.where(v > 0, tf.math.log(v), 0.0)
        twice = tf.where(v > 0, tf.math.log(tf.where(v > 0, v, 1.0)), 0.0)
    assert (once.numpy(), twice.numpy()) == (0.0, 0.0)
    assert np.isnan(tape.gradient(once, v).numpy())
    assert tape.gradient(twice, v).numpy() == 0.0

    z = torch.zeros((), requires_grad=True)
    torch.where(z > 0, z.log(), torch.zeros(())).backward()
    assert z.grad.isnan()


def test_num02_finds_a_finite_number_beside_nan_under_the_mask():
    batch = leaking()
    found = finding("NUM02", batch)
    assert found.message == (
        "The printed 0.2434 is finite, so the training loop masks losses with `where`; unless it also replaces the "
        "logits first, 8 gradients are NaN, at 1 padded timestep."
    )
    assert found.severity == "error"
    assert places(found.cells) == [(0, 5)]
    assert found.evidence == {"timesteps under the mask": 1, "NaN gradients": 8, "printed": 0.2434}
    assert found.repaired.logits[0, 5].tolist() == [0.0] * 8
    counts = np.arange(6) < batch.lengths[:, None]
    assert found.loss_if_fixed == pytest.approx(losses(good())[counts].mean())


def test_num02_counts_the_nan_gradients_that_tensorflow_gets():
    batch = leaking(value=INF)
    weights = (np.arange(6) < batch.lengths[:, None]).astype(float)
    for where, expected in ((batch, finding("NUM02", batch).evidence["NaN gradients"]), (good(), 0)):
        x = tf.Variable(where.logits)
        with tf.GradientTape() as tape:
            loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=where.targets, logits=x)
            number = tf.reduce_sum(tf.where(weights > 0, loss, 0.0)) / weights.sum()
        assert int(np.isnan(tape.gradient(number, x).numpy()).sum()) == expected


def test_num02_is_silent_where_the_printed_number_is_not_finite():
    assert silent("NUM02", leaking("nan"))
    assert silent("NUM02", leaking("inf"))


def test_num02_is_silent_where_the_gradient_is_finite():
    assert silent("NUM02", good(reported="0.2434"))
    ruled_out = good().logits.copy()
    ruled_out[0, 5, 0] = -INF  # at the target: the loss is inf, the softmax and its gradient are finite
    assert silent("NUM02", good(logits=ruled_out, reported="0.2434"))
    assert silent("NUM02", good(logits=np.full((3, 6, 8), NAN), reported="0.2434"))


def test_num02_needs_a_printed_number():
    assert reason("NUM02", leaking(None)) == "Needs `reported`, which this batch does not have."


def test_num02_sample_is_repaired():
    assert silent("NUM02", finding("NUM02", sample("NUM02")).repaired)
