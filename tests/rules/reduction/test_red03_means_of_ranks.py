"""RED03: each chunk is divided by its own count."""

import pytest

from lossviz import analyze
from tests.rules.pad_cases import finding_of, golden_with


def test_red03_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.0292")
    finding = finding_of("RED03", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "Possible: the training loop that printed 1.0292 averages the means of 2 chunks of time (in order); "
        "the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None
