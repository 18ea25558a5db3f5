"""PAD07: the mask stands on the other side."""

import keras
import numpy as np
import pytest

from tests.golden import LENGTHS
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, golden_with, outcome_of


def test_pad07_finds_what_keras_does_by_default():
    targets = keras.utils.pad_sequences([[5, 1]], maxlen=4)
    assert targets.tolist() == [[0, 0, 5, 1]]
    batch = batch_of(targets, lengths=[2], pad_id=0, eos_id=1)
    finding = finding_of("PAD07", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "1 sequence is padded on the left and masked as if padded on the right: 2 pads are trained and 2 real "
        "timesteps are not."
    )
    assert finding.cells.tolist() == [[True] * 4]
    assert finding.evidence == {"sequences": 1, "pads that count": 2, "real timesteps that don't": 2}
    assert finding.repaired.weights.tolist() == [[0, 0, 1, 1]]
    assert finding.repaired.lengths is None
    assert finding.loss_if_fixed == pytest.approx(np.log(9))
    assert codes_of(batch) == ["PAD07"]


def test_pad07_costs_the_golden_batch_0_8727_instead_of_its_mean():
    batch = golden_with(lengths=None, weights=np.arange(5) >= 5 - LENGTHS[:, None])
    finding = finding_of("PAD07", batch)
    assert finding.message == (
        "2 sequences are padded on the right and masked as if padded on the left: 3 pads are trained and 3 real "
        "timesteps are not."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 0), (1, 4), (2, 0), (2, 1), (2, 3), (2, 4))
    assert finding.loss_if_fixed == pytest.approx(13.8 / 11, abs=1e-9)
    assert finding.effect == pytest.approx(13.8 / 11 - 9.6 / 11, abs=1e-9)
    assert codes_of(batch)[0] == "PAD07"


def test_pad07_moves_each_mask_by_its_own_padding():
    targets = [[0, 0, 5, 6, 1], [0, 5, 6, 7, 1], [5, 6, 7, 8, 1]]
    batch = batch_of(targets, weights=[[0, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 1]], pad_id=0, eos_id=1)
    assert finding_of("PAD07", batch).repaired.weights.tolist() == [[0, 0, 0, 1, 1], [0, 0, 1, 1, 1], [0, 1, 1, 1, 1]]


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[5, 6, 1, 0, 0]], lengths=[3], inputs=[[0, 5, 6, 0, 0]], pad_id=0, eos_id=1),
        batch_of([[0, 0, 5, 1]], weights=[[0, 0, 1, 1]], pad_id=0, eos_id=1),
        batch_of([[0, 0, 5, 1]], weights=[[0, 0, 0, 1]], pad_id=0, eos_id=1),
        batch_of([[0, 0, 5, 1]], pad_id=0, eos_id=1),
        batch_of([[0, 6, 5, 1], [5, 6, 7, 1]], lengths=[3, 4], pad_id=0, eos_id=1),
        batch_of([[5, 6, 7, 1]], lengths=[2], pad_id=0, eos_id=1),
        batch_of([[5, 6, 0, 0]], lengths=[3], pad_id=0, eos_id=0),
    ],
    ids=[
        "a decoder that starts with the pad id",
        "left padding, masked on the left",
        "left padding and a prompt",
        "left padding, masked by id",
        "one pad id at the start",
        "no padding",
        "the pad id is the end",
    ],
)
def test_pad07_is_silent_where_mask_and_padding_are_on_one_side(batch):
    assert outcome_of("PAD07", batch) == PASSED


def test_pad07_needs_a_pad_id():
    assert outcome_of("PAD07", golden_with(pad_id=None)) == (
        "skipped",
        "Needs `pad_id`, which this batch does not have.",
    )


TOKENS = np.array([[3, 5, 6, 4, 7, 8, 1], [0, 3, 5, 4, 8, 7, 1], [0, 0, 3, 4, 6, 5, 1], [0, 0, 0, 3, 4, 5, 1]])
PROMPTS = np.array([4, 3, 2, 2])
"""Prompts of so many tokens that end in 4, padded on the left."""


def prompted(first, tokens=TOKENS):
    """The targets count from the token `first` [B] on."""
    weights = (np.arange(7) >= first[:, None]) & (tokens != 0)
    return batch_of(tokens[:, 1:], inputs=tokens[:, :-1], weights=weights[:, 1:], pad_id=0, eos_id=1)


def test_pad07_finds_prompts_that_count_because_their_length_starts_at_the_first_column():
    batch = prompted(PROMPTS)
    finding = finding_of("PAD07", batch)
    assert finding.severity == "error"
    assert finding.message == (
        "3 sequences are padded on the left, and the prompt's length is counted from the first column instead of the "
        "first token: 5 prompt tokens are trained."
    )
    assert finding.cells.tolist() == cells_of(batch, (1, 2), (2, 1), (2, 2), (3, 2), (3, 3))
    assert finding.repaired.weights.tolist() == prompted(PROMPTS + np.arange(4)).weights.tolist()


def test_pad07_finds_leaking_prompts_in_labels_that_hold_an_ignore_id():
    counted = (np.arange(7) >= PROMPTS[:, None]) & (TOKENS != 0)
    labels = np.where(counted, TOKENS, -100)[:, 1:]
    batch = batch_of(labels, inputs=TOKENS[:, :-1], pad_id=0, eos_id=1, ignore_id=-100)
    assert int(finding_of("PAD07", batch).cells.sum()) == 5


def test_pad07_is_silent_of_prompts_whose_length_starts_at_the_first_token():
    assert outcome_of("PAD07", prompted(PROMPTS + np.arange(4))) == PASSED
    other = np.where(TOKENS == 4, np.array([4, 5, 6, 7])[:, None], TOKENS)
    assert outcome_of("PAD07", prompted(PROMPTS, other)) == PASSED
