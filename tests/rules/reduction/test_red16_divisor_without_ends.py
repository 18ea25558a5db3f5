"""RED16: the divisor leaves out the ends."""

import pytest

from lossviz import analyze
from tests.rules.pad_cases import finding_of, golden_with


def test_red16_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.7250")
    finding = finding_of("RED16", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "The training loop that printed 1.7250 divides by the 11 timesteps that count less one for each of the 3 "
        "sequences, on purpose, as OpenNMT-py does, or by mistake; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None
