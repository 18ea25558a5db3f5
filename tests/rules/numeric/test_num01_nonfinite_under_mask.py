"""NUM01: NaN and infinity under the mask."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch, diagnose
from tests.rules.asking import finding, good, losses, places, sample, silent

INF, NAN = np.inf, np.nan


def padded(row, **more):
    """Two timesteps that count, and one of padding with the given logits."""
    logits = np.array([[[2.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 3.0], row]])
    return Batch.from_arrays(**{"logits": logits, "targets": [[0, 3, 0]], "lengths": [2], **more})


def test_num01_what_it_warns_of_happens_in_tensorflow_and_pytorch():
    batch = padded([NAN] * 4)
    mask = np.array([[1.0, 1.0, 0.0]])
    right = losses(batch)[0, :2].mean()

    x = tf.Variable(batch.logits)
    with tf.GradientTape() as tape:
        loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=batch.targets, logits=x)
        selected = tf.reduce_sum(tf.where(mask > 0, loss, 0.0)) / 2
    assert np.isnan(tf.reduce_sum(loss * mask).numpy())
    assert selected.numpy() == pytest.approx(right)
    assert int(np.isnan(tape.gradient(selected, x).numpy()).sum()) == 4

    z = torch.tensor(batch.logits[0], requires_grad=True)
    ignored = torch.nn.functional.cross_entropy(z, torch.tensor([0, 3, -100]))
    ignored.backward()
    assert ignored.item() == pytest.approx(right)
    assert int(z.grad.isnan().sum()) == 4


def test_num01_finds_a_padded_row_of_nan():
    batch = padded([NAN] * 4)
    found = finding("NUM01", batch)
    assert found.message == (
        "1 padded timestep has NaN or infinite logits: multiplying by the mask makes the loss or its gradients NaN."
    )
    assert found.severity == "error"
    assert places(found.cells) == [(0, 2)]
    assert found.evidence == {"timesteps under the mask": 1, "NaN or infinite logits": 4}
    assert found.loss_if_fixed == pytest.approx(losses(batch)[0, :2].mean())
    assert found.repaired.logits.tolist() == [[[2, 0, 1, 0], [0, 1, 0, 3], [0, 0, 0, 0]]]
    assert silent("NUM01", found.repaired)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_num01_counts_every_timestep_and_keeps_the_dtype(dtype):
    logits = good().logits.astype(dtype)
    logits[0, 4, 2], logits[0, 5, 0], logits[2, 5] = NAN, INF, -INF
    found = finding("NUM01", good(logits=logits))
    assert found.message.startswith("3 padded timesteps have NaN or infinite logits: ")
    assert places(found.cells) == [(0, 4), (0, 5), (2, 5)]
    assert found.evidence == {"timesteps under the mask": 3, "NaN or infinite logits": 10}
    assert found.repaired.logits.dtype == dtype


def test_num01_finds_a_target_under_the_mask_that_is_ruled_out():
    assert places(finding("NUM01", padded([-INF, 0.0, 0.0, 0.0])).cells) == [(0, 2)]


def test_num01_finds_nan_beside_an_ignored_label():
    batch = padded([NAN, 0.0, 0.0, 0.0], targets=[[0, 3, -100]], ignore_id=-100)
    assert places(finding("NUM01", batch).cells) == [(0, 2)]


def test_num01_is_silent_where_nothing_leaks():
    assert silent("NUM01", padded([0.0] * 4))
    assert silent("NUM01", padded([0.0, -INF, 0.0, 0.0]))  # the loss and its gradient are finite
    assert silent("NUM01", padded([0.0] * 4, targets=[[0, 3, -100]]))
    assert silent("NUM01", good())


def test_num01_is_silent_where_what_counts_is_broken_too():
    batch = padded([NAN] * 4, lengths=[3])
    assert silent("NUM01", batch)
    assert silent("NUM01", sample("NUM03"))


def test_num01_follows_from_num02_and_num05():
    for code in ("NUM02", "NUM05"):
        outcome = diagnose(sample(code)).outcome("NUM01")
        assert (outcome.state, outcome.reason) == ("skipped", f"{code} was found and explains the same timesteps.")
