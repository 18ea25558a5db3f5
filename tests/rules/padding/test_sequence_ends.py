"""Where sequences start and end, as the padding rules see it."""

import numpy as np
import pytest

from lossviz import analyze
from lossviz.rules._core import sequence_ends as rows
from lossviz.rules._core.case import Case
from tests.golden import LENGTHS
from tests.rules.pad_cases import batch_of, golden_with


def case_of(targets, **fields):
    return Case(analyze(batch_of(targets, **fields)))


def test_pad_rows_ends_of_the_golden_batch():
    case = Case(analyze(golden_with()))
    assert rows.content_end(case).tolist() == rows.counted_end(case).tolist() == rows.true_end(case).tolist()
    assert rows.content_end(case).tolist() == LENGTHS.tolist()
    assert rows.padding(case).tolist() == (~(np.arange(5) < LENGTHS[:, None])).tolist()
    assert rows.between(case).tolist() == case.mask.tolist()


@pytest.mark.parametrize(
    ("pad", "eos", "words", "end", "may_be"),
    [
        (0, 1, None, 1, False),
        (0, 0, None, 0, True),
        (0, None, None, None, True),
        (0, None, ("<pad>", "a", "b"), None, False),
        (0, None, ("</s>", "a", "b"), 0, True),
        (None, None, None, None, False),
        (0, 1, ("</s>", "a", "b"), 1, False),
    ],
)
def test_pad_rows_know_whether_the_pad_id_may_be_the_end(pad, eos, words, end, may_be):
    case = case_of([[1, 2, 0]], classes=3, pad_id=pad, eos_id=eos, vocabulary=words)
    assert (rows.eos_of(case), rows.pad_may_be_eos(case)) == (end, may_be)


def test_pad_rows_true_end_is_after_the_pad_id_that_ends_the_sequence():
    case = case_of([[5, 6, 2, 2], [5, 6, 7, 2], [5, 6, 7, 8], [2, 2, 2, 2]], pad_id=2, eos_id=2)
    assert rows.content_end(case).tolist() == [2, 3, 4, 0]
    assert rows.true_end(case).tolist() == [3, 4, 4, 0]


@pytest.mark.parametrize(
    ("eos", "trained"),
    [(1, [True, True]), (0, [False, True]), (None, [False, True])],
    ids=["other", "shared", "unknown"],
)
def test_pad_rows_trained_padding_spares_what_may_be_the_end(eos, trained):
    case = case_of([[5, 6, 0, 0]], weights=[[1] * 4], pad_id=0, eos_id=eos)
    assert rows.trained_padding(case).tolist() == [[False, False, *trained]]


def test_pad_rows_tail_knows_a_tagger_and_a_language_model_apart():
    tags = case_of([[3, 0, 0, 0]], classes=4, pad_id=0, inputs=[[7, 8, 9, 0]], lengths=[3])
    assert rows.content_end(tags).tolist() == [3]
    model = case_of([[7, 8, 0, 0]], pad_id=0, inputs=[[2, 7, 8, 0]], lengths=[2])
    assert rows.content_end(model).tolist() == [2]


def test_pad_rows_with_counts_keeps_the_lengths_where_they_can_say_it():
    by_length = case_of([[5, 6, 7, 8]], lengths=[2])
    assert rows.with_counts(by_length, np.array([[True, True, True, False]])).lengths.tolist() == [3]
    moved = rows.with_counts(by_length, np.array([[False, True, True, False]]))
    assert (moved.lengths, moved.weights.tolist()) == (None, [[0, 1, 1, 0]])
    weighted = case_of([[5, 6, 7, 8]], lengths=[4], weights=[[0.5, 0, 2, 1]])
    changed = rows.with_counts(weighted, np.array([[True, True, True, False]]))
    assert (changed.lengths.tolist(), changed.weights.tolist()) == ([4], [[0.5, 1, 2, 0]])


def test_pad_rows_agree_with_the_ignore_id():
    assert rows.agrees_with_ignore(case_of([[5, -100]], weights=[[1, 0]]))
    assert not rows.agrees_with_ignore(case_of([[5, -100]], weights=[[1, 1]]))
    assert not rows.agrees_with_ignore(case_of([[5, 6]], weights=[[1, 1]]))


def test_pad_rows_pick_is_no_id_outside():
    assert (rows.pick(np.array([[5, 6], [7, 8]]), np.array([2, -1])) < -(2**61)).all()


@pytest.mark.parametrize(("targets", "packed"), [([[5, 2, 7, 2]], True), ([[5, 6, 2, 2]], False)])
def test_pad_rows_packed_documents_have_their_ends_inside(targets, packed):
    assert rows.is_packed(case_of(targets, pad_id=2, eos_id=2, weights=[[1] * 4])) is packed
    assert not rows.is_packed(case_of(targets, pad_id=2, eos_id=1, weights=[[1] * 4]))
