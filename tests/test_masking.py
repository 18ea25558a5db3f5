"""Each mask by hand, TensorFlow's `sequence_mask`, and what weights and lengths disagree about."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from lossviz import Batch
from lossviz.errors import SettingsError
from lossviz.masking import FROM_TARGETS, gather_last, impossible_rows, length_mask, resolve_mask
from lossviz.settings import MASKS

TARGETS = [[2, 0, -100, 1], [3, 0, 0, 0]]


def make(**changes):
    return Batch.from_arrays(logits=np.zeros((2, 4, 5)), targets=TARGETS, **changes)


@pytest.mark.parametrize(
    ("mask", "given_", "weights"),
    [
        ("lengths", {"lengths": [3, 1]}, [[1, 1, 1, 0], [1, 0, 0, 0]]),
        ("weights", {"weights": [[1, 0.5, 0, -1], [2, 0, 0, 0]]}, [[1, 0.5, 0, -1], [2, 0, 0, 0]]),
        ("nonpad", {"pad_id": 0}, [[1, 0, 1, 1], [1, 0, 0, 0]]),
        ("nonpad", {"pad_id": 3}, [[1, 1, 1, 1], [0, 1, 1, 1]]),
        ("nonpad", {}, [[1, 0, 1, 1], [1, 0, 0, 0]]),
        ("ignore_id", {"ignore_id": -100}, [[1, 1, 0, 1], [1, 1, 1, 1]]),
        ("none", {"lengths": [0, 0]}, [[1, 1, 1, 1], [1, 1, 1, 1]]),
        ("none", {}, [[1, 1, 1, 1], [1, 1, 1, 1]]),
    ],
)
def test_resolve_mask_by_hand(mask, given_, weights):
    masking = resolve_mask(make(**given_), mask)
    assert masking.name == mask
    assert masking.weights.tolist() == weights
    assert masking.weights.dtype == np.float64


@pytest.mark.parametrize(
    ("given_", "name"),
    [
        ({"weights": np.ones((2, 4)), "lengths": [1, 1], "ignore_id": -100, "pad_id": 0}, "weights"),
        ({"lengths": [1, 1], "ignore_id": -100, "pad_id": 0}, "lengths"),
        ({"ignore_id": -100, "pad_id": 0}, "ignore_id"),
        ({"pad_id": 0}, "nonpad"),
        ({}, "none"),
    ],
)
def test_resolve_mask_of_none_is_what_the_batch_declares(given_, name):
    batch = make(**given_)
    assert resolve_mask(batch, None).name == name
    assert resolve_mask(batch, None).weights.tolist() == resolve_mask(batch, name).weights.tolist()


@pytest.mark.parametrize("mask", ["lengths", "weights", "ignore_id"])
def test_resolve_mask_refuses_a_mask_that_the_batch_has_not(mask):
    with pytest.raises(SettingsError) as caught:
        resolve_mask(make(pad_id=0), mask)
    assert str(caught.value) == (
        f"`mask='{mask}'` needs `{mask}`, which this batch does not have. "
        f"Give it `{mask}`, or use the mask that it declares: 'nonpad'."
    )


@given(st.lists(st.integers(0, 6), min_size=1, max_size=5), st.integers(1, 6))
def test_length_mask_is_the_sequence_mask_of_tensorflow(lengths, timesteps):
    expected = tf.sequence_mask(lengths, timesteps).numpy()
    assert length_mask(np.array(lengths), timesteps).tolist() == expected.tolist()


def test_length_mask_of_impossible_lengths_clamps_and_truncates():
    assert length_mask(np.array([-1.0, 0.0, 2.7, 9.0, 1e300]), 3).astype(int).tolist() == [
        [0, 0, 0],
        [0, 0, 0],
        [1, 1, 0],
        [1, 1, 1],
        [1, 1, 1],
    ]


@pytest.mark.parametrize(
    ("lengths", "rows"), [([4, 0], []), ([-1, 4], [0]), ([4, 5], [1]), ([2.7, 4], [0]), ([-1, 9], [0, 1])]
)
def test_impossible_rows_are_below_zero_above_t_or_fractional(lengths, rows):
    batch = make(lengths=lengths)
    expected = np.isin([[0] * 4, [1] * 4], rows)
    assert impossible_rows(batch).tolist() == expected.tolist()
    assert resolve_mask(batch, "lengths").impossible.tolist() == expected.tolist()
    assert not resolve_mask(batch, "none").impossible.any()


def test_impossible_rows_are_none_without_lengths():
    assert impossible_rows(make()).tolist() == np.zeros((2, 4), bool).tolist()


@pytest.mark.parametrize("mask", [None, "weights", "lengths", "none"])
def test_resolve_mask_keeps_the_disagreement_of_weights_and_lengths(mask):
    batch = make(weights=[[1, 0, 0.5, 0], [1, 1, 0, 0]], lengths=[3, 1])
    disagreement = [[False, True, False, False], [False, True, False, False]]
    assert resolve_mask(batch, mask).disagreement.tolist() == disagreement


@pytest.mark.parametrize("mask", MASKS)
def test_every_mask_says_whether_another_target_may_change_it(mask):
    batch = make(lengths=[3, 1], weights=np.ones((2, 4)), pad_id=0, ignore_id=-100)
    other = batch.replace(targets=np.where(batch.targets == 2, 0, np.where(batch.targets == 3, -100, batch.targets)))
    same = np.array_equal(resolve_mask(batch, mask).weights, resolve_mask(other, mask).weights)
    assert same == (mask not in FROM_TARGETS)


def test_resolve_mask_finds_no_disagreement_where_one_is_absent():
    assert not resolve_mask(make(lengths=[3, 1]), None).disagreement.any()
    assert not resolve_mask(make(weights=np.zeros((2, 4))), None).disagreement.any()


@given(st.lists(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0]), min_size=4, max_size=4), min_size=1, max_size=4))
def test_gather_last_marks_one_timestep_of_each_row(rows):
    expected = [[0.0] * 4 for _ in rows]
    for marks, row in zip(expected, rows, strict=True):
        counting = [t for t, weight in enumerate(row) if weight != 0]
        if counting:
            marks[counting[-1]] = 1.0
    assert gather_last(np.array(rows)).tolist() == expected
