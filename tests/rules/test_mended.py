"""What `tests/rules/pipelines.py` showed of the rules, as the smallest batches that show it."""

import numpy as np
import pytest

from lossviz import Batch, analyze, diagnose
from lossviz.rules._core.case import Case
from lossviz.rules.shift._evidence import evidence


def batch_of(targets, logits=None, **more):
    logits = np.random.default_rng(1).normal(size=(*np.shape(targets), 9)) if logits is None else logits
    return Batch.from_arrays(logits=logits, targets=targets, **more)


def said(code, batch):
    """The rule's severity and message, or None."""
    finding = diagnose(batch, select=code).finding(code)
    return finding and (finding.severity, finding.message)


def test_pad01_finds_runs_of_an_id_that_nobody_named():
    runs = [[1, 2, 8, 8, 8, 8], [3, 8, 8, 8, 8, 8], [4, 5, 6, 8, 8, 8]]
    assert said("PAD01", batch_of(runs)) == (
        "warning",
        "3 sequences end in runs of the id 8 (12 timesteps of 18): this looks like padding, and all of it counts.",
    )
    assert said("PAD01", batch_of([*runs, [8, 1, 2, 3, 4, 5]])) is None  # it is a word too


def test_pad06_finds_labels_of_which_only_the_pad_ids_are_left():
    labels = [[-100, -100, 0, 0, 0], [-100, -100, -100, 0, 0]]
    assert said("PAD06", batch_of(labels, pad_id=0, ignore_id=-100)) == (
        "error",
        (
            "5 pads count and everything else is ignored, in 2 of 2 padded sequences: the real labels were replaced "
            "instead of the pads."
        ),
    )
    half_replaced = [[5, 6, 0, 0, 0], [-100, -100, 7, 0, 0]]
    assert said("PAD06", batch_of(half_replaced, pad_id=0, ignore_id=-100)) is None


def test_pad06_knows_padding_by_the_lengths_where_no_pad_id_is_declared():
    frames = {"targets": [[3, 4, 0, 0, 0], [5, 6, 7, 8, 2]], "weights": [[0, 0, 1, 1, 1], [0, 0, 0, 0, 0]]}
    assert said("PAD06", batch_of(**frames, lengths=[2, 5])) == (
        "error",
        (
            "3 pads count and the timesteps next to them don't, in 1 of 1 padded sequence: "
            "100 % of the weight lies on padding."
        ),
    )
    assert diagnose(batch_of(**frames, lengths=[2, 5])).finding("PAD06").repaired.weights.tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 1, 1, 1],
    ]
    assert said("PAD06", batch_of(**frames, lengths=[3, 5])) is None
    left = {"targets": [[0, 0, 3, 4]], "weights": [[0, 0, 1, 1]]}
    assert said("PAD06", batch_of(**left, lengths=[2])) is None  # padded on the left, as far as anybody says


def test_pad06_knows_left_padding_whose_start_token_counts_with_it():
    targets, weights = [[0, 0, 1, 5, 2], [0, 1, 5, 6, 2], [1, 5, 6, 7, 2]], [[1, 1, 1, 0, 0], [1, 1, 0, 0, 0], [0] * 5]
    batch = batch_of(targets, weights=weights, pad_id=0, eos_id=2)
    assert said("PAD06", batch) == (
        "error",
        (
            "3 pads count and the timesteps next to them don't, in 2 of 2 padded sequences: "
            "60 % of the weight lies on padding."
        ),
    )
    assert [finding.code for finding in diagnose(batch).findings] == ["PAD06"]
    assert said("PAD06", batch.replace(weights=[[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0] * 5])) is None


def test_pad14_takes_padding_that_nobody_declared_for_no_other_shape():
    prefix, half = [[1, 1, 1, 1], [1, 1, 0, 0]], [[1, 1, 1, 1], [0, 0, 1, 1]]
    targets = [[5, 6, 7, 8], [5, 6, 0, 0]]
    assert said("PAD14", batch_of(targets, weights=prefix)) is None
    assert said("PAD14", batch_of(targets, weights=prefix, pad_id=1))[0] == "info"  # two real timesteps are left out
    assert said("PAD14", batch_of(targets, weights=half))[0] == "info"  # a prompt that was trained once
    read_out = [[0, 0, 0, 1], [0, 1, 0, 0]]
    assert said("PAD14", batch_of(targets, weights=read_out)) is None


def test_pad14_takes_a_start_token_after_left_padding_for_padding():
    targets, weights = [[0, 0, 1, 5, 2], [5, 6, 7, 8, 2]], [[0, 0, 0, 1, 1], [1, 1, 1, 1, 1]]
    assert said("PAD14", batch_of(targets, weights=weights, pad_id=0, eos_id=2)) is None
    weights[0][3] = 0
    assert said("PAD14", batch_of(targets, weights=weights, pad_id=0, eos_id=2))[0] == "info"


def test_pad07_knows_left_padding_whose_start_token_no_length_counts():
    targets = [[0, 0, 0, 1, 5, 2], [0, 0, 1, 6, 7, 2], [1, 5, 6, 7, 8, 2]]
    batch = batch_of(targets, lengths=[2, 3, 6], pad_id=0, eos_id=2)
    assert said("PAD07", batch) == (
        "error",
        (
            "2 sequences are padded on the left and masked as if padded on the right: 4 pads are trained and 5 real "
            "timesteps are not."
        ),
    )
    diagnosis = diagnose(batch)
    assert [finding.code for finding in diagnosis.findings] == ["PAD07"]
    assert diagnosis.findings[0].repaired.weights.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1], [1] * 6]
    assert said("PAD07", batch.replace(lengths=[2, 4, 6])) is None  # one agrees, and chance may do that


@pytest.mark.parametrize(("width", "severity"), [(8, "info"), (7, "error")])
def test_pad05_is_an_info_where_sequences_were_cut_at_one_limit_and_filled_up(width, severity):
    targets = [[5, 6, 7, 1, 1, 1, 1, 1][:width], [6, 7, 8, 1, 1, 1, 1, 1][:width]]
    batch = batch_of(targets, weights=np.arange(width) < np.array([[3], [3]]), pad_id=1, eos_id=1)
    assert said("PAD05", batch)[0] == severity


def test_pad16_knows_labels_that_are_padded_with_another_id():
    labels = [[3, 4, 5, 2, 2], [4, 2, 2, 2, 2]]
    assert said("PAD16", batch_of(labels, lengths=[3, 1], pad_id=0)) is None
    assert said("PAD16", batch_of([[3, 4, 5, 6, 2], [4, 5, 6, 7, 2]], lengths=[3, 1], pad_id=0))[0] == "error"


def test_pad16_leaves_a_label_that_has_the_number_of_the_pad_id():
    labels = [[0, 3, 0, 3, 0], [3, 0, 3, 4, 0], [4, 0, 0, 3, 3]]
    assert said("PAD16", batch_of(labels, weights=np.ones((3, 5)), pad_id=0)) is None


def test_pad04_is_an_info_where_the_pad_id_ends_documents_inside_sequences():
    targets, weights = [[5, 1, 6, 7], [6, 7, 1, 5]], [[1, 0, 1, 1], [1, 1, 0, 1]]
    assert said("PAD04", batch_of(targets, weights=weights, pad_id=1, eos_id=1))[0] == "info"
    assert said("PAD04", batch_of(targets, weights=weights, pad_id=1, eos_id=2))[0] == "error"


def test_shf05_can_not_tell_a_start_token_from_a_first_word():
    inputs = [[0, 2, 5, 6], [0, 2, 7, 8]]
    same = batch_of([[2, 5, 6, 7], [2, 7, 8, 5]], inputs=inputs, weights=np.not_equal(inputs, 0), pad_id=0)
    assert said("SHF05", same) is None
    others = same.replace(targets=[[5, 6, 7, 8], [7, 8, 5, 6]], inputs=[[0, 5, 6, 7], [0, 7, 8, 5]])
    assert said("SHF05", others)[0] == "error"


def test_num06_finds_float16_that_overflows_downwards_before_num03():
    logits = np.zeros((1, 2, 9), "f2")
    logits[0, 0, :3] = 60000, -60000, -np.inf
    diagnosis = diagnose(batch_of([[2, 1]], logits), select="NUM")
    assert [finding.code for finding in diagnosis.findings] == ["NUM06"]
    assert diagnosis.findings[0].severity == "error"
    logits[0, 0, :2] = 0  # a mask of classes
    assert diagnose(batch_of([[2, 1]], logits)).finding("NUM03").severity == "error"


def test_evidence_is_what_the_logits_know_beyond_how_often_they_say_a_class():
    tokens = np.random.default_rng(5).integers(0, 9, (4, 6))
    knows = Case(analyze(batch_of(tokens, 7.0 * np.eye(9)[tokens])))
    assert evidence(knows, knows.loss, knows.targets) > 24  # about 24 ln 9 less what the classes' shares say
    often = Case(analyze(batch_of(tokens, np.tile(np.arange(9.0), (4, 6, 1)))))
    assert evidence(often, often.loss, often.targets) == pytest.approx(-np.log(3))
    assert evidence(often, np.full((4, 6), np.nan), often.targets) == 0.0


def test_shf10_wants_an_order_to_be_better_where_it_was_not_found():
    random = np.random.default_rng(8)
    targets, sure = random.integers(0, 9, (30, 3)), 9.0 * random.normal(size=(30, 3, 9))
    assert said("SHF10", batch_of(targets, sure)) is None  # the best of 30! orders costs a third less
