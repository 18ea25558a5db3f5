"""One number a sequence or timestep, and several batches."""

import numpy as np
import pytest

from lossviz import analyze
from lossviz.identification import identify
from tests.golden import LENGTHS, LOSS, golden_batch

MASK = np.arange(5) < LENGTHS[:, None]
SUMS, COUNTS = (LOSS * MASK).sum(1), MASK.sum(1)


@pytest.fixture(scope="module")
def golden():
    return analyze(golden_batch(pad_id=0, eos_id=1))


@pytest.fixture(scope="module")
def other():
    """12.7 over 9 timesteps."""
    return analyze(golden_batch(lengths=[5, 3, 1], pad_id=0, eos_id=1))


@pytest.mark.parametrize(
    ("numbers", "code", "title"),
    [
        (SUMS / COUNTS, "C07", "Each sequence's mean"),
        (SUMS, "C01", "Each sequence's sum"),
        (SUMS / 5, "C05", "Each sequence's sum ÷ T"),
        (SUMS / 11, "C03", "Each sequence's part of the mean"),
        (np.exp(SUMS / COUNTS), "C07", "Each sequence's mean, as perplexity"),
        (LOSS.mean(1), "PAD01", "Padding counts, each sequence's mean"),
        ((LOSS * MASK).sum(0) / MASK.sum(0), "C09", "Each timestep's mean"),
        ((LOSS * MASK).sum(0) / 3, "C06", "Each timestep's sum ÷ B"),
    ],
)
def test_identify_vector_is_answered_as_a_whole(golden, numbers, code, title):
    match = identify(golden, [f"{number:.4f}" for number in numbers])[0]
    assert (match.code, match.title, match.rank, match.accidental) == (code, title, 1, False)


def test_identify_vector_of_which_one_number_differs_has_no_answer(golden):
    assert identify(golden, ["1.36", "0.60", "2.31"]) == ()


def test_identify_vector_shows_the_pair_that_is_furthest_apart(golden):
    match = identify(golden, ["1.36", "0.6", "2.3005"], decimals=3)[0]
    assert (match.value, round(match.difference, 7)) == (pytest.approx(2.3), -0.0005)


def test_identify_vector_may_be_an_array(golden):
    assert identify(golden, (SUMS / COUNTS).astype(np.float32))[0].code == "C07"
    assert identify(golden, tuple(SUMS / COUNTS))[0].coefficients[0].tolist() == [0.2] * 5


def test_identify_vector_of_a_square_batch_is_tried_both_ways():
    square = golden_batch(logits=golden_batch().logits[:, :3], targets=golden_batch().targets[:, :3], lengths=[3, 3, 2])
    loss, mask = LOSS[:, :3], np.arange(3) < np.array([[3], [3], [2]])
    rows, columns = (loss * mask).sum(1) / mask.sum(1), (loss * mask).sum(0) / mask.sum(0)
    titles = [identify(square, [f"{x:.4f}" for x in numbers])[0].title for numbers in (rows, columns)]
    assert titles == ["Each sequence's mean", "Each timestep's mean"]


def test_identify_two_batches_keep_what_explains_both(golden, other):
    """13.8 ÷ 15 and 12.7 ÷ 15; with two digits each alone would leave more open."""
    [match] = identify([golden, other], ["0.92", "0.8467"])
    assert (match.code, match.how_to_distinguish) == ("C05", "")
    assert match.explanation == "Your loop divides by all 15 positions, 4 of them padding."


def test_identify_second_batch_tells_apart_what_was_the_same(golden):
    """Here a sequence does not end with its stop token: leaving it out is not ending one timestep earlier."""
    cut = analyze(golden_batch(lengths=[4, 4, 2], pad_id=0, eos_id=1))
    assert [match.code for match in identify(golden, "1.5750")] == ["PAD05", "PAD08"]
    stop, earlier = (6.7 + 1.9 + 4.0) / 8, (5.7 + 1.9 + 4.0) / 7
    assert [match.code for match in identify([golden, cut], ["1.5750", f"{stop:.4f}"])] == ["PAD05"]
    assert [match.code for match in identify([golden, cut], ["1.5750", f"{earlier:.4f}"])] == ["PAD08"]


def test_identify_two_batches_that_no_formula_explains(golden, other):
    assert identify([golden, other], ["0.9200", "1.4111"]) == ()


@pytest.mark.parametrize(
    ("number", "code", "title"),
    [
        ((13.8 / 11 + 12.7 / 9) / 2, "RED12", "Mean of the batches' means"),
        ((13.8 + 12.7) / 20, "C03", "Divided once"),
        (np.exp((13.8 + 12.7) / 20), "C03", "Divided once, as perplexity"),
        ((np.exp(13.8 / 11) + np.exp(12.7 / 9)) / 2, "RED12", "Mean of the batches' numbers, as perplexity"),
        (np.exp((13.8 / 11 + 12.7 / 9) / 2), "RED12", "Mean of the batches' means, as perplexity"),
        ((14.5 + 14.5) / 30, "PAD01", "Divided once, padding counts"),
    ],
)
def test_identify_one_number_for_several_batches(golden, other, number, code, title):
    match = identify((golden, other), f"{number:.5f}")[0]
    assert (match.title, match.rank) == (title, 1)
    assert code in match.codes


def test_identify_batches_of_other_sizes_weigh_by_their_sequences(golden):
    """Two sequences, 9.2 over 9, and three, 13.8 over 11."""
    two = golden_batch(logits=golden.batch.logits[:2], targets=golden.batch.targets[:2], lengths=[5, 4])
    mean = (3 * 13.8 / 11 + 2 * 9.2 / 9) / 5
    [match, *_] = identify([golden, two], f"{mean:.5f}")
    assert (match.code, match.title) == ("RED12", "Mean of the batches' means, by their size")
    assert "C21b" in match.aliases


def test_identify_rows_sorted_by_length_are_the_same_mistake_on_another_batch(golden):
    """The logits' rows come longest first, nothing else does: another order on each batch."""
    numbers, batches = [], []
    for lengths in ([2, 4, 5], [4, 2, 5]):
        batch = golden_batch(lengths=lengths, pad_id=0)
        order = np.argsort(-np.array(lengths), kind="stable")
        log_p = batch.logits[order] - np.log(np.exp(batch.logits[order]).sum(-1, keepdims=True))
        loss = -np.take_along_axis(log_p, batch.targets[..., None], -1)[..., 0]
        mask = np.arange(5) < np.array(lengths)[:, None]
        numbers.append(f"{(loss * mask).sum() / mask.sum():.5f}")
        batches.append(batch)
    [match, *_] = identify(batches, numbers)
    assert (match.code, match.explanation) == (
        "SHF10",
        (
            "Possible: your loop pairs the targets with the logits of other sequences: sorted by length, longest "
            "first, and not sorted back."
        ),
    )
