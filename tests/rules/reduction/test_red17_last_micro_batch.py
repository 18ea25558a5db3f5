"""RED17: only the last micro-batch is printed."""

import numpy as np
import pytest

from tests.rules.asking import losses, sample
from tests.rules.pad_cases import finding_of


def test_red17_names_the_last_of_two_micro_batches():
    batch = sample("RED17")
    loss, counts = losses(batch), np.arange(6) < batch.lengths[:, None]
    assert batch.reported == f"{loss[2:][counts[2:]].mean():.5f}"
    finding = finding_of("RED17", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "Possible: the training loop that printed 0.77964 prints the mean of the last of 2 micro-batches (in order); "
        "the mean over the timesteps that count is 0.80249."
    )
    assert finding.cells.tolist() == [*counts[:2].tolist(), [False] * 6, [False] * 6]
    assert finding.loss_if_fixed == pytest.approx(loss[counts].mean(), abs=1e-9)
