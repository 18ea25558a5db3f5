"""RED02: means are added up, and not divided."""

import numpy as np
import pytest

from lossviz import Settings, analyze
from tests.rules.asking import losses, sample
from tests.rules.pad_cases import finding_of, golden_with, outcome_of


def test_red02_names_the_number_of_the_golden_batch():
    batch = golden_with(reported="3.7636")
    finding = finding_of("RED02", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "Possible: the training loop that printed 3.7636 prints 3 times the mean, as if 3 micro-batches were added up "
        "and not averaged; the mean over the timesteps that count is 1.2545."
    )
    assert finding.cells.tolist() == analyze(batch).mask.tolist()
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.repaired is None


def test_red02_adds_up_the_means_of_two_micro_batches():
    batch = sample("RED02")
    loss, counts = losses(batch), np.arange(6) < batch.lengths[:, None]
    assert batch.reported == f"{loss[:2][counts[:2]].mean() + loss[2:][counts[2:]].mean():.4f}"
    assert finding_of("RED02", batch).message == (
        "Possible: the training loop that printed 1.5999 adds up the means of 2 micro-batches (in order) and does not "
        "divide by 2; the mean over the timesteps that count is 0.80249."
    )


def test_red02_guesses_with_five_digits_and_knows_with_fewer():
    batch = golden_with(reported="4.260")  # three micro-batches of one sequence: 1.36 + 0.6 + 2.3
    assert finding_of("RED02", batch, Settings(accumulation_steps=3)).message == (
        "The training loop that printed 4.260 adds up the means of 3 micro-batches (in order) and does not divide by "
        "3; the mean over the timesteps that count is 1.2545."
    )
    assert outcome_of("RED02", golden_with(reported="3.764")) == (
        "skipped",
        "3.764 has too few digits to tell the formulas apart. Print more of them.",
    )
