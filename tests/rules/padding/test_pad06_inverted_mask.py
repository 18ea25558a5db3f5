"""PAD06: padding counts, and the sequences don't."""

import numpy as np
import pytest

from tests.golden import LENGTHS
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of

MASK = np.arange(5) < LENGTHS[:, None]


@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["weights alone", "with lengths"])
def test_pad06_costs_the_golden_batch_0_175_instead_of_its_mean(lengths):
    batch = golden_with(lengths=lengths, weights=~MASK)
    finding = finding_of("PAD06", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "4 pads count and the timesteps next to them don't, in 2 of 2 padded sequences: "
        "100 % of the weight lies on padding."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 4), (2, 2), (2, 3), (2, 4))
    assert finding.evidence == {
        "pads that count": 4,
        "padded sequences": 2,
        "of them inverted": 2,
        "share of the weight on padding": 1.0,
    }
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(13.8 / 11 - 0.175, abs=1e-9)
    assert finding.repaired.weights.tolist() == MASK.astype(float).tolist()
    assert codes_of(batch)[0] == "PAD06"
    assert np.corrcoef(batch.weights.ravel(), (batch.targets != 0).ravel())[0, 1] <= -0.8


@pytest.mark.parametrize(
    ("targets", "weights", "fields"),
    [
        ([[0, 0, 0, 5, 6]], [[1, 1, 1, 0, 0]], {"eos_id": 1}),
        ([[5, 6, 7, 0, 0]], [[1, 0, 0, 1, 1]], {"eos_id": 1}),
        ([[5, 6, 0, 0, 0]], [[0, 0, 0, 1, 1]], {"eos_id": 0}),
        ([[5, 6, 0, 0, 0]], [[0, 0, 0, 1, 1]], {}),
        ([[5, 6, 0, 0, 0]], [[0, 0, 2.5, 1, 1]], {"eos_id": 1}),
    ],
    ids=["left padding", "a prompt", "the pad id is the end", "the pad id may be the end", "other weights"],
)
def test_pad06_finds_it_in_every_layout(targets, weights, fields):
    batch = batch_of(targets, weights=weights, pad_id=0, **fields)
    finding = finding_of("PAD06", batch)
    assert finding.cells.tolist() == ((np.array(targets) == 0) & (np.array(weights) != 0)).tolist()
    assert finding.repaired.weights.tolist() == (np.array(weights) == 0).tolist()


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 7, 8]], weights=[[0, 0, 1, 1]], pad_id=0, eos_id=1),
        batch_of([[5, 6, 1, 0]], weights=[[0, 0, 1, 0]], pad_id=0, eos_id=1),
        batch_of([[5, 6, 1, 0]], weights=[[1, 1, 1, 1]], pad_id=0, eos_id=1),
        batch_of([[5, 6, 0, 0]], weights=[[1, 1, 1, 0]], pad_id=0, eos_id=0),
        batch_of([[0, 0, 5, 1]], weights=[[1, 1, 0, 0]], lengths=[2], pad_id=0, eos_id=1),
        batch_of([[0, 0, 0, 0], [5, 6, 7, 1]], weights=[[1, 1, 1, 1], [1, 1, 1, 1]], pad_id=0, eos_id=1),
    ],
    ids=[
        "no padding",
        "a prompt",
        "no mask",
        "the pad id is the end",
        "the mask of the lengths",
        "a sequence of padding",
    ],
)
def test_pad06_is_silent_where_the_mask_is_not_inverted(batch):
    assert outcome_of("PAD06", batch) == PASSED


def test_pad06_needs_weights_and_a_pad_id():
    assert outcome_of("PAD06", golden_with()) == ("skipped", "Needs `weights`, which this batch does not have.")
    assert outcome_of("PAD06", golden_with(pad_id=None)) == (
        "skipped",
        "Needs `pad_id` and `weights`, which this batch does not have.",
    )


def test_pad06_leaves_a_mask_that_most_padded_sequences_have_right():
    targets = [[5, 1, 0, 0]] * 4 + [[6, 1, 0, 0]]
    weights = [[1, 1, 0, 0]] * 2 + [[0, 0, 1, 1]] * 3
    assert outcome_of("PAD06", batch_of(targets, weights=weights, pad_id=0, eos_id=1)) == PASSED
