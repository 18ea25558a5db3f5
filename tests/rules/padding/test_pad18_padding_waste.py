"""PAD18: how much of a batch is padding."""

import numpy as np
import pytest

from tests.rules.pad_cases import PASSED, batch_of, finding_of, golden_with, outcome_of


def test_pad18_says_how_much_is_filled():
    batch = batch_of(np.full((3, 8), 5), lengths=[6, 2, 2])
    finding = finding_of("PAD18", batch)
    assert finding.severity == "info"
    assert finding.message == (
        "42 % of the batch is filled: 10 of 24 timesteps, in sequences of 2 to 6, and no sequence reaches the last 2 "
        "columns."
    )
    assert finding.cells.tolist() == (np.arange(8) >= np.array([6, 2, 2])[:, None]).tolist()
    assert finding.evidence == {
        "timesteps filled": 10,
        "timesteps": 24,
        "fill fraction": 10 / 24,
        "columns to spare": 2,
        "shortest": 2,
        "median length": 2.0,
        "longest": 6,
    }
    assert finding.repaired is None


def test_pad18_counts_pad_ids_where_there_are_no_lengths():
    finding = finding_of("PAD18", batch_of([[0, 0, 5, 1], [0, 0, 0, 6], [0, 0, 5, 6]], pad_id=0))
    assert finding.message == "42 % of the batch is filled: 5 of 12 timesteps, in sequences of 1 to 2."


@pytest.mark.parametrize(
    "batch",
    [
        golden_with(),
        batch_of(np.full((3, 8), 5), lengths=[8, 2, 2]),
        batch_of(np.full((1, 4), 5), weights=[[0, 0, 0, 1]]),
    ],
    ids=["the golden batch is filled to 73 %", "half", "a long prompt"],
)
def test_pad18_is_silent_where_half_is_filled(batch):
    assert outcome_of("PAD18", batch) == PASSED
