"""What is wrong with the content: the number, the marks, and the whole sentence."""

import numpy as np
import pytest

from lossviz import Batch, Settings, analyze
from lossviz.problems import TITLES

NAN = float("nan")
NOBODY = "None of these timesteps counts, so the number stands."


def say(batch, settings=None):
    found = analyze(batch, settings).problems
    assert [problem.title for problem in found] == [TITLES[problem.kind] for problem in found]
    return [(problem.kind, str(problem)) for problem in found]


def cells(batch, *where):
    marks = np.zeros(batch.targets.shape, bool)
    for place in where:
        marks[place] = True
    return marks.tolist()


@pytest.mark.parametrize("label", [-100, -1, 4, 2**32])
def test_label_outside_the_classes_that_counts_makes_the_number_nan(small, label):
    batch = small(targets=[[1, label, 3], [3, 0, 0]])
    a = analyze(batch)
    assert np.isnan(a.value)
    assert a.divisor == 4.0
    assert a.invalid.tolist() == cells(batch, (0, 1))
    assert np.isnan(a.unpadded_loss).tolist() == np.isnan(a.gradient_norm).tolist() == cells(batch, (0, 1))
    assert a.rank[0, 1] == 0
    message = (
        f"1 target is not a class from 0 to 3: {label} (once), first at sequence 0, timestep 1. "
        "1 of these timesteps counts, so the number is NaN."
    )
    assert say(batch) == [("label", message)]
    assert a.problems[0].cells.tolist() == cells(batch, (0, 1))


@pytest.mark.parametrize("label", [-100, -1, 4, 2**32])
def test_label_outside_the_classes_under_padding_keeps_the_number_and_the_mark(small, label):
    batch = small(targets=[[1, 2, 3], [3, label, label]])
    a, clean = analyze(batch), analyze(small())
    assert (a.value, a.divisor) == (clean.value, clean.divisor) == (pytest.approx(np.log(4), rel=1e-15), 4.0)
    assert a.unpadded_loss.tolist() == clean.unpadded_loss.tolist()
    assert a.gradient_norm.tolist() == clean.gradient_norm.tolist()
    assert a.share.tolist() == clean.share.tolist()
    assert a.invalid.tolist() == cells(batch, (1, 1), (1, 2))
    message = f"2 targets are not a class from 0 to 3: {label} (2 times), first at sequence 1, timestep 1. {NOBODY}"
    assert say(batch) == [("label", message)]


def test_label_names_the_four_most_common_and_counts_the_rest(small):
    batch = small(targets=[[-1, -1, -2], [9, 8, 7]], lengths=[3, 2])
    [(kind, message)] = say(batch)
    assert kind == "label"
    assert message == (
        "6 targets are not a class from 0 to 3: -1 (2 times), -2 (once), 9 (once), 8 (once) …, "
        "first at sequence 0, timestep 0. 5 of these timesteps count, so the number is NaN."
    )


def test_label_that_is_the_ignore_id_is_as_it_should_be_where_it_does_not_count(small):
    batch = small(targets=[[1, 2, 3], [3, -100, -100]], lengths=None, ignore_id=-100)
    assert say(batch) == []
    assert not analyze(batch).invalid.any()
    everything = analyze(batch, Settings(mask="none"))
    assert np.isnan(everything.value)
    assert everything.invalid.tolist() == cells(batch, (1, 1), (1, 2))


@pytest.mark.parametrize(("length", "named"), [(8, "8"), (2.7, "2.7"), (1e300, "1e+300"), (2**40, "1099511627776")])
def test_length_that_can_not_be_makes_the_number_nan_where_the_row_counts(small, length, named):
    batch = small(lengths=[length, 1])
    a = analyze(batch)
    counting = 2 if length == 2.7 else 3
    assert np.isnan(a.value)
    assert a.invalid.tolist() == cells(batch, 0)
    assert a.batch_loss.tolist() == analyze(small()).batch_loss.tolist()
    message = (
        f"1 length is impossible for 3 timesteps: {named} (sequence 0). "
        f"{counting} of these timesteps count, so the number is NaN."
    )
    assert say(batch) == [("length", message)]


def test_length_below_zero_masks_its_row_and_keeps_the_mark(small):
    batch = small(lengths=[-1, 2])
    a = analyze(batch)
    assert (a.value, a.divisor) == (pytest.approx(np.log(4), rel=1e-15), 2.0)
    assert a.mask.tolist() == [[False] * 3, [True, True, False]]
    assert a.invalid.tolist() == cells(batch, 0)
    assert say(batch) == [("length", f"1 length is impossible for 3 timesteps: -1 (sequence 0). {NOBODY}")]


def test_length_zero_is_legal(small):
    a = analyze(small(lengths=[0, 1]))
    assert (a.value, a.divisor, a.problems) == (pytest.approx(np.log(4), rel=1e-15), 1.0, ())
    assert not a.invalid.any()


def test_lengths_name_the_first_four_rows():
    batch = Batch.from_arrays(logits=np.zeros((6, 2, 3)), targets=np.zeros((6, 2), int), lengths=[-1, -2, 3, 4, 5, 2])
    assert say(batch) == [
        (
            "length",
            (
                "5 lengths are impossible for 2 timesteps: -1 (sequence 0), -2 (sequence 1), 3 (sequence 2), "
                "4 (sequence 3) …. 6 of these timesteps count, so the number is NaN."
            ),
        )
    ]


def test_impossible_length_is_named_where_the_weights_win(small):
    batch = small(weights=[[1, 1, 1], [1, 0, 0]], lengths=[8, 1])
    a = analyze(batch)
    assert a.value == pytest.approx(np.log(4), rel=1e-15)
    assert not a.invalid.any()
    message = "1 length is impossible for 3 timesteps: 8 (sequence 0). The mask in use is 'weights': the number stands."
    assert say(batch) == [("unused_length", message)]


@pytest.mark.parametrize("broken", [NAN, float("inf"), -float("inf")])
def test_logits_that_are_not_finite_are_counted_and_named(small, broken):
    logits = np.zeros((2, 3, 4))
    logits[0, 1, 2] = logits[1, 2, :2] = broken
    batch = small(logits=logits)
    a = analyze(batch)
    assert a.non_finite.tolist() == [[0, 1, 0], [0, 0, 2]]
    message = (
        "2 timesteps have logits that are NaN or ±inf (3 logits), first at sequence 0, timestep 1. 1 of them counts."
    )
    assert say(batch) == [("logits", message)]
    assert not a.invalid.any()


def test_logits_of_nan_that_count_make_the_number_nan(small):
    a = analyze(small(logits=np.full((2, 3, 4), np.nan)))
    assert np.isnan(a.value)
    assert np.isnan(a.unpadded_loss).tolist() == a.mask.tolist()
    message = (
        "6 timesteps have logits that are NaN or ±inf (24 logits), first at sequence 0, timestep 0. 4 of them count."
    )
    assert [str(problem) for problem in a.problems] == [message]


@pytest.mark.parametrize("broken", [NAN, float("inf"), -float("inf")])
def test_logits_that_are_not_finite_under_padding_add_exactly_nothing(small, broken):
    logits = np.zeros((2, 3, 4))
    logits[1, 1:] = broken
    a, clean = analyze(small(logits=logits)), analyze(small())
    assert (a.value, a.divisor) == (clean.value, clean.divisor)
    for name in ("unpadded_loss", "share", "gradient_norm"):
        assert getattr(a, name).tolist() == getattr(clean, name).tolist()
    assert a.non_finite.tolist() == [[0, 0, 0], [0, 4, 4]]
    assert str(a.problems[0]).endswith(" None of them counts.")


def test_minus_infinity_at_another_class_is_a_class_that_can_not_be(small):
    logits = np.zeros((2, 3, 4))
    logits[..., 0] = -np.inf
    a = analyze(small(logits=logits, targets=[[1, 2, 3], [3, 1, 1]]))
    assert a.value == pytest.approx(np.log(3), rel=1e-15)


@pytest.mark.parametrize(
    ("weights", "message", "odd"),
    [
        ([[1, -1, 1], [1, 0, 0]], "1 weight is odd, -1 to -1. A mask holds 0 and 1.", [(0, 1)]),
        (
            [[254, 255, 254], [1, 0, 0]],
            "3 weights are odd, 254 to 255. 254 and 255 are what `~` makes of a uint8 mask.",
            [(0, 0), (0, 1), (0, 2)],
        ),
    ],
)
def test_odd_weight_is_marked_and_legal(small, weights, message, odd):
    batch = small(lengths=None, weights=weights)
    a = analyze(batch)
    assert a.value == pytest.approx(np.log(4), rel=1e-15)
    assert a.divisor == np.sum(weights)
    assert a.invalid.tolist() == cells(batch, *odd)
    assert say(batch) == [("weight", message)]


def test_fractional_weight_is_named_and_not_marked(small):
    a = analyze(small(lengths=None, weights=[[1, 0.5, 0.25], [2, 0, 0]]))
    assert not a.invalid.any()
    message = (
        "3 weights are neither 0 nor 1, 0.25 to 2: "
        "dividing by their sum, by their count or by the batch size gives different numbers."
    )
    assert [str(problem) for problem in a.problems] == [message]


@pytest.mark.parametrize(("mask", "in_use"), [(None, "weights"), ("lengths", "lengths"), ("none", "neither")])
def test_disagreement_of_weights_and_lengths_is_named(small, mask, in_use):
    batch = small(weights=[[1, 1, 0], [1, 1, 0]])
    message = f"`weights` and `lengths` disagree at 2 timesteps, first at sequence 0, timestep 2. In use: {in_use}."
    assert say(batch, Settings(mask=mask)) == [("disagreement", message)]
    assert analyze(batch, Settings(mask=mask)).disagreement.tolist() == cells(batch, (0, 2), (1, 1))


def test_all_weights_zero_gives_zero_and_says_so(small):
    a = analyze(small(lengths=None, weights=np.zeros((2, 3)), logits=np.full((2, 3, 4), np.nan)))
    assert (a.value, a.numerator, a.divisor) == (0.0, 0.0, 0.0)
    assert [getattr(a, name).any() for name in ("share", "gradient_norm", "unpadded_loss")] == [False] * 3
    assert str(a.problems[-1]) == "No timestep counts: every weight is 0, and the loss is 0."


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (0, 0, 4)])
def test_empty_batch_gives_zero_and_says_so(shape):
    batch = Batch.from_arrays(logits=np.zeros(shape), targets=[], lengths=[0] * shape[0])
    a = analyze(batch)
    assert (a.value, a.divisor) == (0.0, 0.0)
    assert a.batch_loss.shape == a.share.shape == shape[:2]
    assert a.top_classes.shape == (*shape[:2], 5)
    assert say(batch) == [("empty", "The batch is empty: there is no timestep, and the loss is 0.")]


def test_one_class_gives_zero_and_points_to_the_sigmoid():
    batch = Batch.from_arrays(logits=np.full((1, 2, 1), 3.0), targets=[[0, 0]])
    a = analyze(batch, Settings(reduction="mean"))
    assert (a.value, a.divisor) == (0.0, 2.0)
    assert a.top_classes.tolist() == [[[0, -1, -1, -1, -1]] * 2]
    message = (
        "There is one class, so its softmax probability is always 1 and the loss is 0. "
        "For one sigmoid logit per timestep choose the reduction “Sigmoid sum (classifier)” (`classification`)."
    )
    assert say(batch, Settings(reduction="mean")) == [("one_class", message)]
    assert say(batch) == []  # where nobody chose a reduction, it is a sigmoid's


def test_problems_come_most_serious_first(small):
    logits = np.zeros((2, 3, 4))
    logits[0, 0, 0] = np.nan
    batch = small(logits=logits, targets=[[9, 2, 3], [3, 0, 0]], lengths=[8, 1], weights=[[1, -1, 0.5], [1, 1, 0]])
    kinds = ["label", "unused_length", "logits", "weight", "fraction", "disagreement"]
    assert [kind for kind, _ in say(batch)] == kinds


def test_a_clean_batch_has_no_problems(golden):
    assert analyze(golden).problems == ()
