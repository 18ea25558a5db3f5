"""RED13: another unit, or two mixed."""

import pytest

from lossviz import analyze
from tests.rules.pad_cases import PASSED, finding_of, golden_with, outcome_of


def test_red13_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="2.3859")
    finding = finding_of("RED13", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "The training loop that printed 2.3859 prints 2 to the power of a loss in nats, which would be right for bits; "
        "the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


def test_red13_knows_e_to_the_power_of_bits():
    assert finding_of("RED13", golden_with(reported="6.1100")).message == (
        "The training loop that printed 6.1100 prints e to the power of a loss in bits, which would be right for nats; "
        "the mean over the timesteps that count is 1.2545."
    )


def test_red13_only_mentions_bits():
    finding = finding_of("RED13", golden_with(reported="1.8099"))
    assert finding.severity == "info"
    assert finding.message == (
        "The training loop that printed 1.8099 divides by the 11 timesteps that count, and prints bits, on purpose, as "
        "fairseq does, or by mistake; the mean over the timesteps that count is 1.2545."
    )


def test_red13_lets_a_perplexity_be():
    assert outcome_of("RED13", golden_with(reported="3.5062")) == PASSED
