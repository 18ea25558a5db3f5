"""RED07: every loss meets every mask."""

import pytest

from tests.rules.pad_cases import cells_of, finding_of, golden_with, outcome_of


def test_red07_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="0.7089")
    finding = finding_of("RED07", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "Possible: the training loop that printed 0.7089 multiplies every loss with every weight: the mean of all 15 "
        "positions times the mean weight, 11 ÷ 15; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2), (2, 3), (2, 4))
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


def test_red07_leaves_masked_select_to_pad01():
    assert outcome_of("RED07", golden_with(reported="0.9667")) == (
        "skipped",
        "PAD01 also gives 0.9667 on this batch and is more likely.",
    )
