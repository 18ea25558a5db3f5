"""MOD09: binary cross entropy over the classes of a softmax."""

import keras
import numpy as np
import pytest

from lossviz import analyze, identify
from tests.rules.asking import sample
from tests.rules.pad_cases import finding_of, golden_with


def binary(batch, probabilities):
    """The mean over the classes, [B, T], in float64."""
    labels = np.eye(batch.shape[2])[batch.targets]
    return -(labels * np.log(probabilities) + (1 - labels) * np.log(1 - probabilities)).mean(axis=-1)


def test_mod09_names_the_number_of_the_golden_batch():
    batch = golden_with()
    mask = analyze(batch).mask
    printed = binary(batch, np.exp(batch.logits.astype(float)))[mask].mean()
    assert f"{printed:.4f}" == "0.3085"
    finding = finding_of("MOD09", batch.replace(reported=f"{printed:.6f}"))
    assert finding.severity == "error"
    assert finding.message == (
        "Possible: the training loop that printed 0.308484 averages a binary cross entropy over the 6 classes, with "
        "the probabilities of a softmax; the mean over the timesteps that count is 1.2545."
    )
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


def test_mod09_is_what_keras_prints_for_one_hot_targets():
    batch = sample("MOD09")
    mask = analyze(batch).mask
    shares = np.asarray(keras.ops.softmax(batch.logits.astype("f4")))  # a tensor would carry its logits along
    loss = keras.losses.BinaryCrossentropy(reduction="mean_with_sample_weight")
    printed = float(loss(np.eye(8, dtype="f4")[batch.targets], shares, sample_weight=mask.astype("f4")))
    assert printed == pytest.approx(float(batch.reported), abs=2e-6)


def test_mod09_knows_a_sigmoid_of_each_logit_and_the_divisor_of_the_padding():
    batch = sample("MOD09")
    sigmoids = binary(batch, 1 / (1 + np.exp(-batch.logits.astype(float))))
    first = identify(batch, f"{sigmoids[analyze(batch).mask].mean():.6f}")[0]
    assert (first.code, first.clause.endswith("with a sigmoid of each logit")) == ("MOD09", True)
    everything = identify(batch, f"{sigmoids.mean():.6f}")[0]
    assert everything.codes == ("MOD09", "PAD01")
