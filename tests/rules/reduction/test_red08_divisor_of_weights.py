"""RED08: weights are counted, and not summed."""

import numpy as np
import pytest

from lossviz import analyze
from tests.golden import FRACTIONAL
from tests.rules.pad_cases import finding_of, golden_with, outcome_of


def test_red08_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.0318", weights=FRACTIONAL)
    finding = finding_of("RED08", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "The training loop that printed 1.0318 divides by 11 timesteps instead of the sum of their weights, on "
        "purpose, as Keras 3 and Keras 2 do, or by mistake; the mean over the timesteps that count is 1.081."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(11.35 / 10.5, abs=1e-9)
    assert finding.repaired is None


def test_red08_speaks_of_all_positions_where_none_is_padding():
    weights = np.array([[1, 1, 0.5, 0.5, 1], [2, 1, 1, 1, 1], [1, 0.5, 3, 1, 1]])
    batch = golden_with(weights=weights)
    number = analyze(batch).unpadded_loss.sum() / 15
    batch = batch.replace(reported=f"{number:.5f}")
    assert finding_of("RED08", batch).cells.all()
    assert outcome_of("PAD02", batch)[0] == "skipped"
