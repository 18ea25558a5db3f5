"""PAD02: the divisor counts the padding."""

import keras
import numpy as np
import pytest

from tests.golden import FRACTIONAL
from tests.rules.pad_cases import cells_of, finding_of, golden_with, outcome_of


def test_pad02_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="0.9200")
    finding = finding_of("PAD02", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "The training loop that printed 0.9200 divides by all 15 positions, 4 of them padding, on purpose, as Keras 3, "
        "Keras 2 and TensorFlow 1 do, or by mistake; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2), (2, 3), (2, 4))
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None
    assert finding.evidence == {
        "printed": "0.9200",
        "by this formula": pytest.approx(13.8 / 15),
        "mean of what counts": pytest.approx(13.8 / 11),
        "timesteps that count": 11,
        "timesteps": 15,
    }
    assert finding.fix["TensorFlow"] == (
        "weights = tf.sequence_mask(lengths, tf.shape(targets)[1], tf.float32)\n"
        "loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True, "
        'reduction="mean_with_sample_weight")\n'
        "loss = loss_fn(targets, logits, sample_weight=weights)"
    )
    assert finding.fix["PyTorch"] == (
        "weights = (torch.arange(targets.shape[1], device=lengths.device) < lengths[:, None]).float()\n"
        "loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()"
    )


def test_pad02_is_what_keras_prints_of_sample_weights():
    batch = golden_with()
    mask = np.arange(5) < batch.lengths[:, None]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    printed = float(loss(batch.targets, batch.logits.astype("f4"), sample_weight=mask.astype("f4")))
    assert finding_of("PAD02", batch.replace(reported=f"{printed:.4f}")).evidence["printed"] == "0.9200"


def test_pad02_speaks_of_fractional_weights_where_there_is_padding():
    finding = finding_of("PAD02", golden_with(reported="0.7567", weights=FRACTIONAL))
    assert finding.fix["PyTorch"] == ("loss = torch.where(weights != 0, losses * weights, 0.0).sum() / weights.sum()")


@pytest.mark.parametrize("reported", ["0.92", "0.9"])
def test_pad02_wants_more_digits(reported):
    assert outcome_of("PAD02", golden_with(reported=reported)) == (
        "skipped",
        f"{reported} has too few digits to tell the formulas apart. Print more of them.",
    )
