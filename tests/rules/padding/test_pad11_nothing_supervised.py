"""PAD11: nothing counts."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from tests.rules.pad_cases import PASSED, batch_of, codes_of, finding_of, outcome_of


def test_pad11_libraries_give_nan_or_zero():
    logits, ignored = torch.zeros(4, 9), torch.full((4,), -100)
    assert torch.nn.functional.cross_entropy(logits, ignored).isnan()
    assert torch.nn.functional.cross_entropy(logits, ignored, reduction="sum").item() == 0
    assert tf.math.divide_no_nan(0.0, 0.0).numpy() == 0
    assert 0 / (0 + 1e-12) == 0


@pytest.mark.parametrize(
    ("fields", "why", "lengths"),
    [
        ({"weights": np.zeros((2, 3))}, "every weight is 0", [3, 2]),
        ({"weights": np.zeros((2, 3)), "lengths": [3, 1]}, "every weight is 0", [3, 1]),
        ({"lengths": [0, 0]}, "every length is 0", [3, 2]),
    ],
    ids=["weights", "weights beside lengths", "lengths"],
)
def test_pad11_says_why_and_falls_back_on_what_is_there(fields, why, lengths):
    batch = batch_of([[5, 6, 1], [7, 1, 0]], pad_id=0, eos_id=1, **fields)
    finding = finding_of("PAD11", batch)
    assert (finding.severity, finding.message) == ("error", f"None of 6 timesteps counts: {why}.")
    assert finding.cells.tolist() == [[True] * 3] * 2
    assert finding.evidence == {"timesteps that count": 0, "timesteps": 6}
    assert (finding.repaired.weights, finding.repaired.lengths.tolist()) == (None, lengths)
    assert finding.loss_if_fixed == pytest.approx(np.log(9))
    assert codes_of(batch) == ["PAD11"]


def test_pad11_ignored_labels_come_back_with_the_weights_gone():
    batch = batch_of([[5, -100]], ignore_id=-100, weights=[[0, 0]], lengths=[2])
    repaired = finding_of("PAD11", batch).repaired
    assert (repaired.weights, repaired.lengths, repaired.declared_mask) == (None, None, "ignore_id")


@pytest.mark.parametrize(
    ("targets", "fields", "why"),
    [
        ([[-100, -100]], {"ignore_id": -100}, "every label is the ignore id -100"),
        ([[0, 0]], {"pad_id": 0}, "every label is the pad id 0"),
        ([[5, 6]], {"weights": [[0, 0]]}, "every weight is 0"),
    ],
    ids=["ignored", "padding", "nothing else known"],
)
def test_pad11_has_no_repair_where_nothing_is_left(targets, fields, why):
    finding = finding_of("PAD11", batch_of(targets, **fields))
    assert (finding.message, finding.repaired) == (f"None of 2 timesteps counts: {why}.", None)
    assert finding.loss_if_fixed is None


def test_pad11_less_than_one_percent_is_an_info():
    weights = np.zeros((2, 150))
    weights[0, :2] = 1
    finding = finding_of("PAD11", batch_of(np.full((2, 150), 5), weights=weights))
    assert (finding.severity, finding.message) == ("info", "Only 2 of 300 timesteps count (0.67 %).")
    assert finding.cells.tolist() == (weights > 0).tolist()
    assert finding.evidence == {"timesteps that count": 2, "timesteps": 300}


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5] * 100], weights=[[1] + [0] * 99]),
        batch_of([[5, 6]]),
    ],
    ids=["one percent", "no mask"],
)
def test_pad11_is_silent_where_something_counts(batch):
    assert outcome_of("PAD11", batch) == PASSED
