"""NUM04: −inf in classes other than the target."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch, diagnose
from tests.rules.asking import finding, good, losses, places, sample, silent

INF = np.inf
ROW = [0.0, -INF, np.log(np.exp(0.763) - 1)]


def one(**more):
    return Batch.from_arrays(**{"logits": [[ROW, [1.0, 0.0, 0.0]]], "targets": [[0, 0]], **more})


def test_num04_one_logit_of_minus_infinity_in_tensorflow_and_pytorch():
    logits, hot = tf.constant([ROW]), tf.constant([[1.0, 0.0, 0.0]])
    sparse = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=logits)
    assert sparse.numpy() == pytest.approx([0.763], abs=1e-6)
    assert np.isnan(tf.nn.softmax_cross_entropy_with_logits(labels=hot, logits=logits).numpy()).all()
    smooth = tf.nn.softmax_cross_entropy_with_logits(labels=hot * 0.9 + 0.1 / 3, logits=logits)
    assert smooth.numpy().tolist() == [INF]
    torch_smooth = torch.nn.functional.cross_entropy(torch.tensor([ROW]), torch.tensor([0]), label_smoothing=0.1)
    assert torch_smooth.item() == INF


def test_num04_is_an_error_where_the_printed_number_is_not_finite():
    batch = one(reported="inf")
    found = finding("NUM04", batch)
    assert found.message == (
        "1 timestep that counts has a logit of −inf in 1 class: the printed inf comes from smoothed or dense labels; "
        f"with hard labels the loss is {losses(batch).mean():.4f}."
    )
    assert found.severity == "error"
    assert places(found.cells) == [(0, 0)]
    assert found.evidence == {"timesteps": 1, "-inf logits": 1}
    assert found.repaired.logits[0, 0, 1] == -1e9
    assert found.loss_if_fixed == pytest.approx(losses(batch).mean())
    assert silent("NUM04", found.repaired)


@pytest.mark.parametrize("reported", [None, "0.6572"])
def test_num04_is_an_info_with_hard_labels(reported):
    found = finding("NUM04", one(reported=reported))
    assert found.severity == "info"
    assert found.message == (
        "1 timestep that counts has a logit of −inf in 1 class: label smoothing would make the loss infinite, and "
        "dense labels would make it NaN."
    )


def test_num04_is_an_info_where_something_else_explains_the_printed_nan():
    logits = np.array([[ROW, [np.nan, 0.0, 0.0]]])
    assert finding("NUM04", one(logits=logits, reported="nan")).severity == "info"


def test_num04_writes_a_number_that_float16_holds():
    batch = one(logits=np.array([[ROW, [1.0, -INF, -INF]]], np.float16))
    found = finding("NUM04", batch)
    assert found.message.startswith("2 timesteps that count have a logit of −inf in 3 classes in total: ")
    assert found.repaired.logits.dtype == np.float16
    assert found.repaired.logits[0, 1].tolist() == [1.0, -1e4, -1e4]


def test_num04_is_silent_without_minus_infinity_that_counts():
    assert silent("NUM04", one(logits=[[[1.0, -1e9, 0.0], [1.0, 0.0, 0.0]]], reported="inf"))
    assert silent("NUM04", one(logits=[[[1.0, 0.0, 0.0], ROW]], lengths=[1]))
    assert silent("NUM04", one(logits=[[[INF, -INF, 0.0], [1.0, 0.0, 0.0]]]))
    assert silent("NUM04", good())


def test_num04_follows_from_num03():
    outcome = diagnose(sample("NUM03")).outcome("NUM04")
    assert (outcome.state, outcome.reason) == ("skipped", "NUM03 was found and explains the same timesteps.")
