"""RED10: label smoothing of padding."""

import numpy as np
import pytest

from tests.golden import LENGTHS, LOSS
from tests.rules.pad_cases import cells_of, finding_of, golden_with, outcome_of

WITHIN = np.arange(5) < LENGTHS[:, None]


def test_red10_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.4582")
    finding = finding_of("RED10", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "Possible: the training loop that printed 1.4582 sums the smoothing term over all positions, 4 of them "
        "padding, with ε = 0.1; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2), (2, 3), (2, 4))
    smooth = -np.log((1 - np.exp(-LOSS)) / 5)  # of each of the five other classes
    spread = np.where(WITHIN, LOSS + 5 * smooth, 0).sum() / 6
    assert finding.loss_if_fixed == pytest.approx((0.9 * 13.8 + 0.1 * spread) / 11, abs=1e-9)
    assert f"{finding.loss_if_fixed:.5f}" == "1.35172"
    assert finding.repaired is None


def test_red10_wants_five_digits_as_nobody_said_the_epsilon():
    assert outcome_of("RED10", golden_with(reported="1.458"))[0] == "skipped"
