"""MOD10: the loss of logits that are scaled, tempered or soft-capped."""

import numpy as np
import pytest
import tensorflow as tf

from lossviz import analyze
from tests.rules.asking import sample
from tests.rules.pad_cases import finding_of, golden_with, outcome_of


def mean_of(batch, change):
    """The mean loss of changed logits over the timesteps that count, by TensorFlow in float64."""
    logits = change(np.asarray(batch.logits, np.float64))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=batch.targets, logits=logits).numpy()
    return losses[analyze(batch).mask].mean()


def test_mod10_names_the_scale_of_the_golden_batch():
    batch = golden_with()
    printed = mean_of(batch, lambda logits: logits * 0.5)
    assert f"{printed:.4f}" == "1.4097"
    finding = finding_of("MOD10", batch.replace(reported=f"{printed:.6f}"))
    assert finding.severity == "warning"
    assert finding.message == (
        "Possible: the training loop that printed 1.409750 takes the loss of the logits × 0.5; the mean over the "
        "timesteps that count is 1.2545."
    )
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    np.testing.assert_array_equal(finding.cells, analyze(batch).mask)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda logits: logits / 0.7, "takes the loss of the logits ÷ 0.7, a temperature;"),
        (
            lambda logits: 30 * np.tanh(logits / 30),
            "takes the loss of the logits after a soft cap of 30, 30 · tanh(z / 30);",
        ),
    ],
    ids=["temperature", "soft cap"],
)
def test_mod10_names_a_temperature_and_a_soft_cap(change, words):
    batch = sample("MOD10")
    finding = finding_of("MOD10", batch.replace(reported=f"{mean_of(batch, change):.6f}"))
    assert words in finding.message


def test_mod10_is_silent_where_four_digits_could_be_chance():
    batch = sample("MOD10").replace(reported="1.245")
    assert outcome_of("MOD10", batch)[0] == "skipped"
