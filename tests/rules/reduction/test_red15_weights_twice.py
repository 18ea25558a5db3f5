"""RED15: weights are applied twice."""

import pytest

from tests.golden import FRACTIONAL
from tests.rules.pad_cases import cells_of, finding_of, golden_with


def test_red15_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="0.9786", weights=FRACTIONAL)
    finding = finding_of("RED15", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "Possible: the training loop that printed 0.9786 multiplies each loss by its weight twice and divides by the "
        "sum of the weights, 10.5; the mean over the timesteps that count is 1.081."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2), (0, 3), (1, 0), (2, 1))
    assert finding.loss_if_fixed == pytest.approx(11.35 / 10.5, abs=1e-9)
    assert finding.repaired is None
