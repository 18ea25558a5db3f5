"""RED05: every sequence weighs the same."""

import numpy as np
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


def test_red05_explains_a_nan_by_a_document_in_which_nothing_counts():
    documents = np.array([[0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 0, 1, 1, 1]])
    weights = (np.arange(5) < [[3], [5], [5]]).astype(int)
    batch = golden_with(lengths=None, pad_id=None, segment_ids=documents, weights=weights, reported="nan")
    finding = finding_of("RED05", batch)
    assert finding.severity == "error"
    assert finding.message.startswith(
        "The training loop that printed nan averages the means of 5 documents (by segment_ids), and nothing counts in "
        "document 1: 0 ÷ 0 is NaN; the mean over the timesteps that count is "
    )
    assert finding.cells.tolist() == [[False, False, False, True, True], [False] * 5, [False] * 5]
