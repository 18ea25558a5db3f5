"""NUM03: the target is ruled out."""

import math

import numpy as np
import pytest
import tensorflow as tf

from lossviz import Batch
from tests.rules.asking import finding, good, losses, places, sample, silent

INF = np.inf


def one(row, **more):
    return Batch.from_arrays(**{"logits": [[row, [1.0, 0.0, 0.0]]], "targets": [[0, 0]], **more})


def test_num03_finds_minus_infinity_at_the_target():
    batch = one([-INF, 0.0, 0.0])
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0], logits=batch.logits[0, :1])
    assert loss.numpy().tolist() == [INF]
    found = finding("NUM03", batch)
    assert found.message == "1 target that counts has the logit −inf, first “0” at sequence 0, timestep 0."
    assert found.severity == "error"
    assert places(found.cells) == [(0, 0)]
    assert found.evidence == {
        "timesteps": 1,
        "infinite losses": 1,
        "largest loss": INF,
        "mean loss without them": pytest.approx(np.log(1 + 2 / math.e)),
    }
    assert (found.repaired, found.loss_if_fixed) == (None, None)
    assert "tf.one_hot(targets, 3)" in found.fix["TensorFlow"]


def test_num03_finds_losses_beyond_float32():
    found = finding("NUM03", one([-1e9, 0.0, 0.0], vocabulary=["the", "cat", "sat"]))
    assert found.message == (
        "1 target that counts has a logit so low that exp(−loss) is 0, first “the” at sequence 0, timestep 0."
    )
    assert found.evidence["largest loss"] == pytest.approx(1e9)
    assert found.evidence["infinite losses"] == 0
    assert silent("NUM03", one([-87.0, 0.0, -90.0]))
    assert places(finding("NUM03", one([-89.0, 0.0, -90.0])).cells) == [(0, 0)]


@pytest.mark.parametrize(
    ("logit", "severity"), [(-89.0, "info"), (-999.0, "info"), (-1001.0, "error"), (-1e4, "error"), (-INF, "error")]
)
def test_num03_is_an_info_where_a_model_may_be_wrong_without_a_mask(logit, severity):
    assert finding("NUM03", one([logit, 0.0, -2000.0])).severity == severity


def test_num03_is_an_error_where_one_target_of_several_is_filled_in():
    batch = Batch.from_arrays(logits=[[[-200.0, 0.0], [-1e4, 0.0]]], targets=[[0, 0]])
    assert finding("NUM03", batch).severity == "error"


def test_num03_names_both_kinds_together():
    batch = Batch.from_arrays(logits=[[[-INF, 0.0], [-200.0, 0.0]]], targets=[[0, 0]])
    found = finding("NUM03", batch)
    assert found.message == (
        "2 targets that count have a logit so low that exp(−loss) is 0, first “0” at sequence 0, timestep 0."
    )
    assert found.evidence["mean loss without them"] == "no other timestep counts"


def test_num03_is_silent_under_the_mask_and_for_other_classes():
    assert silent("NUM03", Batch.from_arrays(logits=[[[1.0, 0.0], [-INF, 0.0]]], targets=[[0, 0]], lengths=[1]))
    assert silent("NUM03", one([1.0, -INF, 0.0]))
    assert silent("NUM03", one([np.nan, 0.0, 0.0]))
    assert silent("NUM03", good())


def test_num03_weighs_the_mean_of_the_others():
    batch = Batch.from_arrays(
        logits=[[[-INF, 0.0], [1.0, 0.0], [0.0, 1.0]]], targets=[[0, 0, 0]], weights=[[1.0, 2.0, 1.0]]
    )
    _, low, high = losses(batch)[0]
    expected = pytest.approx((2 * low + high) / 3)
    assert finding("NUM03", batch).evidence["mean loss without them"] == expected


def test_num03_sample_shows_its_cell():
    assert places(finding("NUM03", sample("NUM03")).cells) == [(1, 3)]
