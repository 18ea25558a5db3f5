"""RED05: every sequence weighs the same."""

import pytest

from lossviz import analyze
from tests.rules.pad_cases import finding_of, golden_with, outcome_of


def test_red05_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="1.4200")
    finding = finding_of("RED05", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "The training loop that printed 1.4200 averages the losses of each sequence, then averages the 3 means, on "
        "purpose, as TensorFlow 1 does, or by mistake; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


def test_red05_cannot_tell_sequences_of_one_length():
    batch = golden_with(lengths=[4, 4, 4])
    state, reason = outcome_of("RED05", batch.replace(reported="1.1750"))
    assert state == "skipped"
    assert reason == (
        "The mean over the timesteps that count is also 1.1750. This batch cannot tell them apart: in every sequence "
        "4 timesteps count. A batch with unequal lengths can. More digits would tell it from NUM06: 1.175000 or "
        "1.175044."
    )
