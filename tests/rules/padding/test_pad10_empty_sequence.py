"""PAD10: a sequence without a timestep that counts."""

import numpy as np
import pytest

from lossviz import Batch, Settings, diagnose
from tests.golden import LOSS, TARGETS, golden_logits
from tests.rules.pad_cases import PASSED, batch_of, codes_of, finding_of, golden_with, outcome_of

BOTH = (
    "1 of 2 sequences has no timestep that counts: the mean of the per-sequence means is 0.6800 over all sequences and "
    "1.3600 over the others."
)


def first_row_and_an_empty_one(**changes):
    targets = np.array([TARGETS[0], np.zeros(5, int)])
    logits = golden_logits(targets, np.array([LOSS[0], np.full(5, 0.2)]))
    return Batch.from_arrays(
        **{"logits": logits, "targets": targets, "lengths": [5, 0], "pad_id": 0, "eos_id": 1} | changes
    )


def test_pad10_gives_the_means_over_all_and_over_the_others():
    finding = finding_of("PAD10", first_row_and_an_empty_one())
    assert (finding.severity, finding.message) == ("info", BOTH)
    assert finding.cells.tolist() == [[False] * 5, [True] * 5]
    assert finding.evidence == {
        "empty sequences": 1,
        "sequences": 2,
        "mean over all": pytest.approx(0.68, abs=1e-9),
        "mean over the others": pytest.approx(1.36, abs=1e-9),
    }
    assert finding.repaired is None


def test_pad10_is_a_warning_where_the_number_is_a_mean_of_means():
    finding = finding_of("PAD10", first_row_and_an_empty_one(), Settings(reduction="sequence_means"))
    assert (finding.severity, finding.message) == ("warning", BOTH)


def test_pad10_is_a_warning_where_a_length_of_0_cuts_off_a_sequence():
    batch = batch_of([[5, 6, 7, 1], [5, 1, 0, 0], [8, 8, 1, 0]], lengths=[4, 2, 0], pad_id=0, eos_id=1)
    finding = finding_of("PAD10", batch)
    assert finding.severity == "warning"
    assert finding.message == (
        "1 of 3 sequences has no timestep that counts, although it is not empty: the mean of the per-sequence means is "
        "1.4648 over all sequences and 2.1972 over the others."
    )
    assert finding.repaired.lengths.tolist() == [4, 2, 3]
    assert finding.loss_if_fixed == pytest.approx(np.log(9))
    assert codes_of(batch) == ["PAD10"]


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ([8, 1], "2 of 3 sequences have no timestep that counts, although they are not empty: "),
        ([0, 0], "2 of 3 sequences have no timestep that counts, although 1 of them is not empty: "),
    ],
)
def test_pad10_says_how_many_hold_something(last, said):
    batch = batch_of([[5, 1], [6, 1], last], lengths=[2, 0, 0], pad_id=0, eos_id=1)
    finding = diagnose(batch, select="PAD10").finding("PAD10")
    assert (finding.severity, finding.message.startswith(said)) == ("warning", True)


def test_pad10_counts_several():
    finding = finding_of("PAD10", batch_of([[5, 6]] * 3, lengths=[2, 0, 0]))
    assert finding.message.startswith("2 of 3 sequences have no timestep that counts: ")
    assert finding.severity == "info"


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6]] * 2, lengths=[2, 1]),
        batch_of([[5, 6]] * 2, lengths=[0, 0]),
    ],
    ids=["none is empty", "nothing counts at all"],
)
def test_pad10_is_silent_where_no_single_sequence_is_empty(batch):
    assert outcome_of("PAD10", batch) == PASSED


def test_pad10_is_an_info_where_nothing_was_left_to_guess():
    weights = [[0, 1, 0], [0, 0, 0]]
    finding = finding_of("PAD10", batch_of([[5, 6, 7], [5, 6, 7]], weights=weights, pad_id=0))
    assert finding.severity == "info"


def test_pad10_explains_a_nan_by_the_empty_sequences():
    finding = finding_of("PAD10", golden_with(lengths=[5, 4, 0], pad_id=None, reported="nan"))
    assert finding.severity == "error"
    assert finding.message == (
        "The loop that printed nan averages each sequence, and nothing counts in sequence 2: 0 / 0 is NaN. Over the "
        "other sequences, the mean of the means is 0.9800."
    )
    assert finding.loss_if_fixed == pytest.approx((6.8 / 5 + 2.4 / 4) / 2)
    assert finding.is_of_the_loop


def test_pad10_leaves_a_nan_to_a_loss_that_is_nan():
    logits = golden_with().logits.copy()
    logits[0, 0] = np.nan
    batch = golden_with(lengths=[5, 4, 0], pad_id=None, reported="nan", logits=logits)
    assert "averages each sequence" not in finding_of("PAD10", batch).message
