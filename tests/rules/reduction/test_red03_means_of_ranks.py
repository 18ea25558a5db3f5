"""RED03: each chunk is divided by its own count."""

import numpy as np
import pytest

from lossviz import analyze
from tests.golden import LOSS
from tests.rules.pad_cases import finding_of, golden_with, outcome_of


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


def test_red03_explains_a_nan_by_a_chunk_of_time_in_which_nothing_counts():
    weights = np.repeat([[1, 1, 1, 0, 0]], 3, axis=0)
    finding = finding_of("RED03", golden_with(lengths=None, pad_id=None, weights=weights, reported="nan"))
    mean = np.mean(np.asarray(LOSS)[:, :3])
    assert finding.severity == "warning"
    assert finding.message == (
        "Possible: the training loop that printed nan averages the means of 2 chunks of time (in order), and nothing "
        f"counts in chunk 1: 0 ÷ 0 is NaN; the mean over the timesteps that count is {mean:.5g}."
    )
    assert finding.cells.tolist() == [[False, False, False, True, True]] * 3
    assert (finding.loss_if_fixed, finding.printed) == (pytest.approx(mean), "nan")
    assert finding.fix


def test_red03_leaves_a_nan_to_a_loss_that_is_nan():
    logits = golden_with().logits.copy()
    logits[0, 4] = np.nan  # masked
    weights = np.repeat([[1, 1, 1, 0, 0]], 3, axis=0)
    batch = golden_with(lengths=None, pad_id=None, weights=weights, reported="nan", logits=logits)
    assert outcome_of("RED03", batch)[0] == "skipped"
