"""RED06: the width of the batch is the divisor."""

import pytest

from lossviz import analyze
from tests.rules.pad_cases import finding_of, golden_with


def test_red06_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="2.7600")
    finding = finding_of("RED06", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "The training loop that printed 2.7600 divides by the 5 timesteps of the padded width, on purpose, as bergson "
        "does, or by mistake; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


@pytest.mark.parametrize(
    ("reported", "does"),
    [
        ("3.4500", "divides by T − 1 = 4, on purpose, as bergson does"),
        ("0.2509", "divides twice, by T = 5 and by the 11 timesteps that count, on purpose, as d2l does"),
    ],
)
def test_red06_knows_other_wrong_divisors(reported, does):
    assert finding_of("RED06", golden_with(reported=reported)).message == (
        f"The training loop that printed {reported} {does}, or by mistake; the mean over the timesteps that count is "
        "1.2545."
    )
