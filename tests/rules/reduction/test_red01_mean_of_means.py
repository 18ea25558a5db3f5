"""RED01: micro-batches are averaged."""

import numpy as np
import pytest

from lossviz import Settings
from tests.rules.asking import losses, sample
from tests.rules.pad_cases import finding_of, golden_with, outcome_of


def test_red01_names_the_mean_of_two_micro_batches():
    batch = sample("RED01")
    loss, counts = losses(batch), np.arange(6) < batch.lengths[:, None]
    halves = loss[:2][counts[:2]].mean(), loss[2:][counts[2:]].mean()
    assert batch.reported == f"{np.mean(halves):.5f}"
    finding = finding_of("RED01", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "Possible: the training loop that printed 0.79996 averages the means of 2 micro-batches (in order); "
        "the mean over the timesteps that count is 0.80249."
    )
    assert finding.cells.tolist() == counts.tolist()
    assert finding.loss_if_fixed == pytest.approx(loss[counts].mean(), abs=1e-9)


def test_red01_is_a_convention_where_the_accumulation_steps_are_said():
    steps = Settings(accumulation_steps=2)  # sequences 0 and 1, then sequence 2: (9.2 / 9 + 2.3) / 2 = 1.6611
    assert finding_of("RED01", golden_with(reported="1.661"), steps).message == (
        "The training loop that printed 1.661 divides 3.3222 by 2, the micro-batches, each by its own mean, on "
        "purpose, as Megatron-LM does, or by mistake; the mean over the timesteps that count is 1.2545."
    )


def test_red01_lets_the_number_be_that_the_settings_ask_for():
    batch = golden_with(reported="1.6611")
    settings = Settings(accumulation_steps=2, reduction="micro_batch_means")
    assert outcome_of("RED01", batch, settings) == ("skipped", "The mean over the timesteps that count is also 1.6611.")
