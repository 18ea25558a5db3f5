"""Batches that are wrong or empty, and numbers that are not finite: always an answer, never a crash."""

import numpy as np
import pytest

from lossviz import Batch, Settings
from lossviz.identification import identify
from tests.golden import TARGETS, golden_batch, golden_logits


def with_logit(value, *place):
    logits = golden_logits()
    logits[place] = value
    return golden_batch(logits=logits, pad_id=0, eos_id=1)


def test_identify_nan_leaks_from_a_masked_timestep():
    batch = with_logit(np.nan, 2, 3)
    first = identify(batch, "nan")[0]
    assert (first.code, first.rank, np.isnan(first.value), first.difference) == ("NUM01", 1, True, 0.0)
    assert first.explanation == ("Your loop multiplies 1 loss that is not finite by a weight of 0, which gives NaN.")
    assert identify(batch, "1.2545")[0].code == "C03"


def test_identify_nan_of_a_timestep_that_counts_is_one_answer():
    [match] = identify(with_logit(np.nan, 0, 0), "NaN")
    assert (match.code, match.how_to_distinguish) == ("C03", "")
    assert match.explanation == (
        "Your loop divides by the 11 timesteps that count, and 1 of the losses that it counts is not finite."
    )


def test_identify_infinite_loss():
    batch = with_logit(-np.inf, 0, 0, 2)
    assert [identify(batch, text)[0].title for text in ("inf", "-inf")] == [
        "Mean over the timesteps that count",
        "As log-probability",
    ]
    assert identify(batch, "inf")[0].value == np.inf


def test_identify_nothing_counts():
    batch = golden_batch(lengths=[0, 0, 0])
    nan, zero = identify(batch, "nan"), identify(batch, "0.0")
    assert (nan[0].code, "PAD11" in nan[0].aliases) == ("C03", True)
    assert (
        nan[0].explanation
        == "Your loop divides by the 0 timesteps that count, and since nothing counts, 0 ÷ 0 gives NaN."
    )
    assert nan[0].fix["TensorFlow"].splitlines()[-1] == (
        "loss = tf.math.divide_no_nan(tf.reduce_sum(tf.where(weights != 0, losses * weights, 0.0)), "
        "tf.reduce_sum(weights))  # 0 where nothing counts"
    )
    assert ("C03n" in (zero[0].code, *zero[0].aliases), zero[0].accidental) == (True, False)


def test_identify_labels_that_are_no_class_count_for_nothing():
    targets = TARGETS.copy()
    targets[1, 4] = targets[2, 2:] = -100
    given = {"targets": targets, "logits": golden_logits(), "lengths": None, "ignore_id": -100}
    assert identify(golden_batch(**given), "1.2545")[0].code == "C03"
    assert "PAD01" in [code for match in identify(golden_batch(**given), "nan") for code in match.codes]


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (0, 0, 4)])
@pytest.mark.parametrize("printed", ["0.0", "nan", "1.2"])
def test_identify_empty_batch(shape, printed):
    batch = Batch.from_arrays(logits=np.zeros(shape), targets=np.zeros(shape[:2], int), pad_id=0, eos_id=1)
    matches = identify(batch, printed, smoothing=0.1, accumulation_steps=2, world_size=2)
    assert bool(matches) == (printed != "1.2")
    assert {match.cells.shape for match in matches} <= {shape[:2]}


def test_identify_arrays_of_every_answer_are_finite():
    for batch in (with_logit(np.nan, 2, 3), with_logit(np.nan, 0, 0), golden_batch(lengths=[0, 0, 0])):
        for match in identify(batch, "nan", smoothing=0.1, accumulation_steps=2):
            assert np.isfinite(match.coefficients).all()
            assert (match.coefficients.shape, match.cells.shape, match.cells.dtype) == ((3, 5), (3, 5), bool)


def test_identify_one_timestep_and_one_class():
    one = Batch.from_arrays(logits=np.zeros((1, 1, 3)), targets=[[1]])
    assert identify(one, "1.0986")[0].code == "C03"
    certain = Batch.from_arrays(logits=np.zeros((2, 2, 1)), targets=np.zeros((2, 2), int))
    assert identify(certain, "0.0000", settings=Settings(reduction="mean"))[0].code == "C03"


def test_identify_classifier_is_recognised_by_its_setting():
    """2 · ln(1 + e): the last timestep of two sequences, logit 1, label 0; so one logit is read by default."""
    batch = Batch.from_arrays(logits=np.ones((2, 2, 1)), targets=np.zeros((2, 2), int))
    for settings in (Settings(reduction="classification"), None):
        [match, *_] = identify(batch, "2.6265", settings=settings)
        assert (match.code, match.explanation) == ("classification", "Your loop adds up 2.6265 and divides by nothing.")


def test_identify_impossible_length_is_named():
    [match, *_] = identify(golden_batch(lengths=[5, 7, 2]), "nan")
    assert match.explanation.endswith("5 of the losses that it counts are not finite.")


def test_identify_negative_weights_are_legal():
    """(13.8 − 2 · 3.5) ÷ 9."""
    weights = golden_batch().lengths[:, None] > np.arange(5)
    weights = np.where(np.arange(15).reshape(3, 5) == 2, -1.0, weights)
    assert identify(golden_batch(weights=weights), "0.7556")[0].code == "C03"


@pytest.mark.parametrize(
    "reported", [" 1.2545 ", "+1.2545", "1.2545e0", "1.2545454", np.float32(1.2545455), "1.254545450210571"]
)
def test_identify_reads_a_number_however_it_is_written(reported):
    assert identify(golden_batch(), reported)[0].code == "C03"


@pytest.mark.parametrize("reported", [10**400, 10**30, "1e400", "-1.2645", "−1.2645", "-inf", [1.36, np.nan, 2.3]])
def test_identify_numbers_that_no_loss_is_are_no_mistake_to_ask(reported):
    assert identify(golden_batch(), reported) == ()


@pytest.mark.parametrize("reported", ["-1.2545", "−1.2545"])
def test_identify_minus_the_loss_is_a_log_probability(reported):
    [match] = identify(golden_batch(), reported)
    assert (match.code, match.kind, match.explanation) == (
        *("C03", "unit"),
        "Your loop prints minus the loss, which is a log-probability.",
    )


def test_identify_two_classes_have_no_third_to_smooth_over():
    """JoeyNMT's ε ÷ (V − 2) is no number here, and explains no NaN."""
    batch = Batch.from_arrays(logits=np.zeros((1, 2, 2)), targets=[[1, 0]])
    assert identify(batch, "nan") == ()
