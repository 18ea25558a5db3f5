"""PAD01: no mask at all, and rows that end in padding."""

import numpy as np
import pytest

from lossviz import Settings, analyze, diagnose
from tests.golden import LENGTHS
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of

BARE = {"lengths": None, "pad_id": None, "eos_id": None}


def test_pad01_names_the_number_of_the_golden_batch_without_its_mask():
    targets = [[2, 3, 4, 5, 1], [3, 2, 1, 0, 0], [4, 1, 0, 0, 0]]
    batch = batch_of(targets)
    finding = finding_of("PAD01", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "2 sequences end in runs of the id 0 (5 timesteps of 15): this looks like padding, and all of it counts."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 3), (1, 4), (2, 2), (2, 3), (2, 4))
    assert finding.evidence == {"timesteps that look like padding": 5, "timesteps": 15, "sequences": 2}
    assert finding.repaired.pad_id == 0
    assert codes_of(batch) == ["PAD01"]


def test_pad01_gives_the_mean_over_what_is_real():
    batch = golden_with(**BARE, targets=[[2, 3, 4, 5, 1], [3, 2, 4, 0, 0], [4, 1, 0, 0, 0]])
    finding = finding_of("PAD01", batch)
    real = ~finding.cells
    assert real.sum() == 10
    assert finding.loss_if_fixed == pytest.approx(analyze(batch).batch_loss[real].mean(), abs=1e-9)


def test_pad01_finds_weights_that_are_all_1_beside_shorter_lengths():
    """The golden batch with a weight of 1 everywhere: 14.5 ÷ 15 instead of 13.8 ÷ 11."""
    finding = finding_of("PAD01", golden_with(weights=np.ones((3, 5))))
    assert finding.message == (
        "Every weight is 1, although 4 of the 15 timesteps are beyond the end of their sequence: padding counts."
    )
    np.testing.assert_array_equal(finding.cells, np.arange(5) >= np.array(LENGTHS)[:, None])
    assert finding.evidence == {"timesteps of padding that count": 4, "timesteps that count": 15}
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)


def test_pad01_finds_the_mask_that_is_not_in_use():
    """The golden batch with "No mask" chosen: 14.5 ÷ 15 instead of 13.8 ÷ 11."""
    analysis = analyze(golden_with(), Settings(mask="none"))
    finding = diagnose(analysis).finding("PAD01")
    assert finding.message == (
        "No mask is in use, although the batch declares lengths: by that mask, 4 of the 15 timesteps that count are "
        "padding."
    )
    np.testing.assert_array_equal(finding.cells, np.arange(5) >= np.array(LENGTHS)[:, None])
    assert finding.evidence == {"timesteps of padding that count": 4, "timesteps that count": 15}
    assert (finding.severity, finding.repaired) == ("warning", None)
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11)
    assert finding.effect == pytest.approx(13.8 / 11 - 14.5 / 15)


def test_pad01_says_nothing_of_a_mask_that_would_leave_out_nothing():
    analysis = analyze(golden_with(lengths=[5, 5, 5]), Settings(mask="none"))
    assert diagnose(analysis).finding("PAD01") is None


def test_pad01_keeps_the_first_of_the_ends():
    batch = batch_of([[5, 6, 2, 2, 2], [5, 6, 7, 2, 2]], eos_id=2)
    finding = finding_of("PAD01", batch)
    assert finding.cells.tolist() == cells_of(batch, (0, 3), (0, 4), (1, 4))


def test_pad01_takes_the_vocabulary_at_its_word():
    batch = batch_of([[5, 6, 3, 3, 3], [5, 6, 7, 3, 3]], vocabulary=["a", "b", "c", "<pad>", "d", "e", "f", "g", "h"])
    assert finding_of("PAD01", batch).message == (
        "2 sequences end in runs of “<pad>” (5 timesteps of 10): this looks like padding, and all of it counts."
    )


def test_pad01_is_not_kept_away_by_an_ignore_id_that_no_target_has():
    """PyTorch's −100 is declared by every loop, whether its labels hold it or not."""
    undeclared, declared = (batch_of([[5, 6, 0, 0], [5, 0, 0, 0]], **more) for more in ({}, {"ignore_id": -100}))
    assert finding_of("PAD01", declared).message == finding_of("PAD01", undeclared).message
    masked = batch_of([[5, 6, 0, 0], [5, 0, 0, 0], [5, 6, 7, -100]], ignore_id=-100)
    assert diagnose(analyze(masked)).finding("PAD01") is None


def test_pad01_finds_padding_on_the_left():
    batch = batch_of([[0, 0, 0, 5, 6], [0, 0, 7, 5, 6]])
    finding = finding_of("PAD01", batch)
    assert finding.message == (
        "2 sequences start in runs of the id 0 (5 timesteps of 10): this looks like padding, and all of it counts."
    )


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 0, 0], [5, 0, 0, 0]], lengths=[2, 1]),
        batch_of([[5, 6, 0, 0], [5, 0, 0, 0]], pad_id=0),
        batch_of([[5, 6, 0, 0], [5, 6, 7, 0]]),
        batch_of([[5, 6, 3, 3], [5, 3, 3, 3]]),
        batch_of([[0, 6, 0, 0], [5, 0, 7, 0], [0, 8, 0, 0]]),
        batch_of([[0, 0, 0, 0], [0, 0, 0, 0]]),
        batch_of([[5, 6, 7, 8], [8, 7, 6, 5]]),
        golden_with(lengths=LENGTHS),
    ],
    ids=["lengths", "a pad id", "one run", "a word", "a frequent class", "one class", "no padding", "golden"],
)
def test_pad01_is_silent_where_padding_is_masked_or_not_to_be_told(batch):
    assert outcome_of("PAD01", batch) == PASSED
