"""MOD02: logits are read as probabilities."""

import keras
import numpy as np
import pytest

from lossviz import analyze, diagnose
from tests.rules.asking import sample
from tests.rules.pad_cases import finding_of, golden_with


def test_mod02_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.7918")
    finding = finding_of("MOD02", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "Possible: the training loop that printed 1.7918 gives logits to a loss that expects probabilities "
        "(from_logits=False); the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


def test_mod02_is_what_keras_prints_by_default():
    batch = sample("MOD02")
    mask = np.arange(6) < batch.lengths[:, None]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=False, reduction="mean_with_sample_weight")
    printed = float(loss(batch.targets, batch.logits.astype("f4"), sample_weight=mask.astype("f4")))
    assert f"{printed:.4f}" == batch.reported


def test_mod02_is_silent_where_the_arrays_are_probabilities():
    batch = sample("MOD01").replace(reported="0.5")
    [outcome] = [each for each in diagnose(batch).outcomes if each.code == "MOD02"]
    assert outcome.reason == "MOD01 was found and explains the same timesteps."
