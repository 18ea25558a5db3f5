"""Every reduction and the sixteen flags: numerator, divisor, and what the divisor counts."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossviz.errors import SettingsError
from lossviz.reductions import (
    CALCULATIONS,
    FLAGS,
    REDUCTIONS,
    Options,
    check_flags,
    check_options,
    group_sums,
    reduce_sequence_loss,
    reduction_named,
)
from tests import oracle
from tests.flags import ILLEGAL, RULES
from tests.strategies import BY_NAME

LOSS = np.array([[1.0, 3.0, 0.0], [2.0, 4.0, 5.0]])
WEIGHTS = np.array([[1.0, 0.5, 0.0], [2.0, 1.0, 1.0]])
REDUCE = {reduction.name: reduction.reduce for reduction in REDUCTIONS}


def test_flags_seven_of_sixteen_are_legal():
    every = set(product([False, True], repeat=4))
    assert set(RULES.values()) | set(ILLEGAL) == every
    assert (len(set(RULES.values())), len(ILLEGAL)) == (7, 9)


@pytest.mark.parametrize(("flags", "message"), ILLEGAL.items())
def test_check_flags_refuses_a_contradiction(flags, message):
    for refuse in (lambda: check_flags(*flags), lambda: reduce_sequence_loss(LOSS, WEIGHTS, flags)):
        with pytest.raises(SettingsError) as caught:
            refuse()
        assert str(caught.value) == message


@pytest.mark.parametrize(
    ("rule", "numerator", "divisor", "counts"),
    [
        ("at+ab", 15.5, 5.5, "the sum of the weights"),
        ("st+sb", 15.5, 5.0, "timesteps with a weight other than 0"),
        ("at", [2.5, 13.0], [1.5, 4.0], "the sum of the weights of each sequence"),
        ("ab", [5.0, 5.5, 5.0], [3.0, 1.5, 1.0], "the sum of the weights at each timestep"),
        ("st", [2.5, 13.0], [2.0, 3.0], "timesteps with a weight other than 0 of each sequence"),
        ("sb", [5.0, 5.5, 5.0], [2.0, 2.0, 1.0], "timesteps with a weight other than 0 at each timestep"),
        ("none", (WEIGHTS * LOSS).tolist(), np.ones((2, 3)).tolist(), "nothing: each timestep stays as it is"),
    ],
)
def test_reduce_sequence_loss_by_hand(rule, numerator, divisor, counts):
    r = reduce_sequence_loss(LOSS, WEIGHTS, RULES[rule])
    assert np.asarray(r.squeeze(r.numerator)).tolist() == numerator
    assert np.asarray(r.squeeze(r.divisor)).tolist() == divisor
    assert r.counts == counts
    assert np.asarray(r.squeeze(r.value)).tolist() == (np.array(numerator) / np.array(divisor)).tolist()


def test_reduce_sequence_loss_says_timesteps_where_the_weights_are_a_mask():
    r = reduce_sequence_loss(LOSS, np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]]), RULES["at+ab"])
    assert (r.numerator.item(), r.divisor.item(), r.counts) == (15.0, 5.0, "timesteps that count")


SUM = "nothing: the losses are summed"
WEIGHT = "the sum of the weights"
SEQUENCE_MEANS = 2.5 / 1.5 + 13 / 4
TIMESTEP_MEANS = 5 / 3 + 5.5 / 1.5 + 5 / 1


@pytest.mark.parametrize(
    ("name", "numerator", "divisor", "counts"),
    [
        ("mean", 15.5, 5.5, WEIGHT),
        ("language_model", 15.5, 1.0, SUM),
        ("encoder_decoder", 15.5, 2.0, "sequences in the batch"),
        ("classification", 15.5, 1.0, SUM),
        ("sequence_loss", 15.5, 5.5, WEIGHT),
        ("counted", 15.5, 5.0, "timesteps with a weight other than 0"),
        ("positions", 15.5, 6.0, "positions, padding included"),
        ("max_length", 15.5, 6.0, "positions, L_max in each sequence"),
        ("timesteps", 15.5, 3.0, "timesteps of the padded width"),
        ("timesteps_less_one", 15.5, 2.0, "timesteps of the padded width, less one"),
        ("with_first_labels", 15.5, 7.5, f"{WEIGHT}, and each sequence's first label"),
        ("without_stops", 15.5, 3.5, f"{WEIGHT}, less one for each sequence"),
        ("timesteps_twice", 15.5, 16.5, f"{WEIGHT}, times the padded width"),
        ("decoder_length", 15.5, 5.5 / 1.75, f"{WEIGHT}, over the mean length less 1"),
        ("sequence_means", SEQUENCE_MEANS, 2.0, "sequences, each by its own mean"),
        ("filled_sequence_means", SEQUENCE_MEANS, 2.0, "sequences that are not empty, each by its own mean"),
        ("timestep_means", TIMESTEP_MEANS, 3.0, "timesteps, each by its own mean"),
        ("timestep_means_sum", TIMESTEP_MEANS, 1.0, "nothing: the means of the timesteps are summed"),
        ("micro_batch_means", SEQUENCE_MEANS, 2.0, "micro-batches, each by its own mean"),
    ],
)
def test_reductions_by_hand(name, numerator, divisor, counts):
    r = REDUCE[name](LOSS, WEIGHTS, Options(accumulation_steps=2))
    assert (r.squeeze(r.divisor), r.counts) == (divisor, counts)
    np.testing.assert_allclose(r.squeeze(r.numerator), numerator, rtol=1e-15)
    np.testing.assert_allclose(r.squeeze(r.value), numerator / divisor, rtol=1e-15)


def test_reductions_follow_their_options():
    divided = {
        "max_length": REDUCE["max_length"](LOSS, WEIGHTS, Options(max_length=10)).divisor.item(),
        "one micro-batch": REDUCE["micro_batch_means"](LOSS, WEIGHTS, Options(accumulation_steps=1)).value.item(),
        "two": REDUCE["micro_batch_means"](LOSS, WEIGHTS, Options(groups=((1,), (0,)))).value.item(),
        "an empty one": REDUCE["micro_batch_means"](LOSS, WEIGHTS, Options(accumulation_steps=4)).divisor.item(),
        "flags": REDUCE["sequence_loss"](LOSS, WEIGHTS, Options(flags=RULES["st+sb"])).divisor.item(),
    }
    assert divided == {
        "max_length": 20.0,
        "one micro-batch": 15.5 / 5.5,
        "two": SEQUENCE_MEANS / 2,
        "an empty one": 4.0,
        "flags": 5.0,
    }


def test_reductions_count_empty_sequences_or_leave_them_out():
    """Means 2, 0 and 4 of three sequences, of which the second is empty."""
    loss, weights = np.array([[2.0, 9.0], [9.0, 9.0], [3.0, 5.0]]), np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 1.0]])
    values = {name: REDUCE[name](loss * (weights > 0), weights, Options()).value.item() for name in REDUCE}
    assert (values["sequence_means"], values["filled_sequence_means"]) == (2.0, 3.0)
    assert (values["timestep_means"], values["timestep_means_sum"]) == (3.75, 7.5)


def test_reductions_have_a_title_a_formula_a_source_and_a_unit():
    assert [r.name for r in REDUCTIONS if not (r.title and r.formula and r.source)] == []
    assert len({r.title for r in REDUCTIONS}) == len({r.name for r in REDUCTIONS}) == len(REDUCTIONS) == 20
    assert {name: [r.name for r in REDUCTIONS if r.unit == name] for name in {r.unit for r in REDUCTIONS}} == {
        "nats per timestep": ["mean", "sequence_loss", "counted"],
        "nats per sequence": ["encoder_decoder"],
        "nats per position": ["positions", "positions_with_start"],
        "nats (mean of means)": ["sequence_means", "filled_sequence_means", "timestep_means", "micro_batch_means"],
        "nats": [
            *("language_model", "classification", "max_length", "timesteps", "timesteps_less_one", "with_first_labels"),
            *("without_stops", "timesteps_twice", "decoder_length", "timestep_means_sum"),
        ],
    }


def test_reductions_take_options_that_exist():
    known = {*Options.names(), *FLAGS}
    assert [r.name for r in REDUCTIONS if not {*r.needs, *r.may_take} <= known] == []
    assert {r.name: r.needs for r in REDUCTIONS if r.needs} == {"micro_batch_means": ("accumulation_steps",)}


def test_calculations_are_the_five_of_the_course():
    assert [r.name for r in CALCULATIONS] == [
        *("mean", "language_model", "encoder_decoder", "classification", "sequence_loss")
    ]


def test_check_options_refuses_what_gives_no_number():
    with pytest.raises(SettingsError) as caught:
        check_options(reduction_named("micro_batch_means"), Options())
    assert str(caught.value) == (
        "`reduction='micro_batch_means'` needs `accumulation_steps`; got None. "
        "Say how many micro-batches the batch was cut into."
    )
    with pytest.raises(SettingsError, match=r"^`average_across_timesteps` and `sum_over_timesteps` cannot both be "):
        check_options(reduction_named("sequence_loss"), Options(flags=(True, True, True, False)))
    for reduction in REDUCTIONS:
        check_options(reduction, Options(accumulation_steps=1))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"accumulation_steps": 0}, "`accumulation_steps` must be a whole number from 1 on; got 0."),
        ({"max_length": 2.5}, "`max_length` must be a whole number from 1 on; got 2.5."),
        ({"world_size": True}, "`world_size` must be a whole number from 1 on; got True."),
        (
            {"max_length": 10**400},
            "`max_length` must be a whole number up to 9,007,199,254,740,991; got a larger one.",
        ),
        ({"smoothing": 1.0}, "`smoothing` must be from 0 up to, not including, 1; got 1.0."),
        ({"z_loss": float("nan")}, "`z_loss` must be a finite number, such as 1e-4; got nan."),
        ({"class_weights": [[1.0]]}, "`class_weights` must be a list of numbers from 0 on, one for each class."),
        ({"bytes_per_token": ["a"]}, "`bytes_per_token` must be a list of numbers from 0 on, one for each class."),
        (
            {"groups": 3},
            "`groups` must list the sequences of each micro-batch, such as ((0,), (1, 2)); got 3.",
        ),
    ],
)
def test_options_refuse_what_they_can_not_be(option, message):
    with pytest.raises(SettingsError) as caught:
        Options(**option)
    assert str(caught.value) == message


def test_options_cut_the_sequences_into_even_parts():
    """As `np.array_split` does: the first parts are the larger ones."""
    for sequences, steps in np.ndindex(9, 12):
        cuts = np.array_split(np.arange(sequences), steps + 1)
        expected = [number for number, cut in enumerate(cuts) for _ in cut]
        assert Options(accumulation_steps=steps + 1).parts(sequences).tolist() == expected
    assert Options(accumulation_steps=2**53 - 1).parts(3).tolist() == [0, 1, 2]
    assert Options().parts(3).tolist() == [0, 0, 0]
    assert Options(groups=((2,), (), (0, 1))).parts(3).tolist() == [2, 2, 0]
    with pytest.raises(SettingsError) as caught:
        Options(groups=((0,), (0, 1))).parts(3)
    assert str(caught.value) == (
        "`groups` must hold each of the sequences 0 to 2 once; got ((0,), (0, 1)). "
        "Leave it out to cut the batch evenly."
    )


PAIRS = arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=5).flatmap(
    lambda shape: st.tuples(
        arrays.arrays(float, shape, elements=st.floats(0, 50)),
        arrays.arrays(float, shape, elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0])),
    )
)


@pytest.mark.parametrize("name", BY_NAME)
@given(pair=PAIRS)
def test_reductions_agree_with_plain_loops(name, pair):
    loss, weights = pair
    loss = np.where(weights != 0, loss, 0.0)
    r = REDUCE[BY_NAME[name].reduction](loss, weights, BY_NAME[name].options)
    for got, expected in zip((r.numerator, r.divisor, r.value), oracle.reduced(loss, weights, name), strict=True):
        np.testing.assert_allclose(r.squeeze(got), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", BY_NAME)
@given(pair=PAIRS)
def test_each_and_whole_take_the_number_apart(name, pair):
    """value = Σ w·loss / each, and w·loss / whole sum to 1."""
    loss, weights = np.where(pair[1] != 0, pair[0], 0.0), pair[1]
    r = REDUCE[BY_NAME[name].reduction](loss, weights, BY_NAME[name].options)
    coefficients = r.coefficients(weights)
    np.testing.assert_allclose(coefficients, oracle.coefficients(weights, name), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose((coefficients * loss).sum(), r.value.item(), rtol=1e-11, atol=1e-11)
    parts = np.broadcast_to(r.effective_divisor, loss.shape) != 0
    whole = np.where(parts & (r.share_total != 0), r.share_total, np.inf)
    if abs(r.value.item()) > 1e-9:
        np.testing.assert_allclose((weights * loss / whole).sum(), 1.0, rtol=1e-6)


@pytest.mark.parametrize("shape", [(0, 3), (2, 0), (0, 0)])
@pytest.mark.parametrize("name", BY_NAME)
def test_reductions_of_no_timesteps_are_zero(name, shape):
    r = REDUCE[BY_NAME[name].reduction](np.zeros(shape), np.zeros(shape), BY_NAME[name].options)
    assert r.squeeze(r.value) == 0.0
    assert r.coefficients(np.zeros(shape)).shape == shape


@pytest.mark.parametrize("name", BY_NAME)
def test_reductions_where_nothing_counts_are_zero(name):
    r = REDUCE[BY_NAME[name].reduction](np.zeros((2, 3)), np.zeros((2, 3)), BY_NAME[name].options)
    assert (r.squeeze(r.value), r.coefficients(np.zeros((2, 3))).any()) == (0.0, False)


@pytest.mark.parametrize("name", BY_NAME)
def test_reductions_keep_a_nan_that_counts(name):
    loss = np.array([[1.0, np.nan], [2.0, 0.0], [1.0, 1.0]])
    r = REDUCE[BY_NAME[name].reduction](loss, np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), BY_NAME[name].options)
    assert np.isnan(r.squeeze(r.value))


def test_group_sums_leave_out_what_does_not_count():
    loss, weights = np.array([[1.0, np.inf], [np.nan, 4.0]]), np.array([[2.0, 0.0], [0.0, 0.5]])
    sums, totals = group_sums(loss, weights, np.array([[0, 0], [1, 2]]))
    assert (sums.tolist(), totals.tolist()) == ([2.0, 0.0, 2.0], [2.0, 0.0, 0.5])


@given(st.sampled_from(sorted(RULES)), PAIRS)
def test_reduce_sequence_loss_agrees_with_plain_loops(rule, pair):
    loss, weights = pair
    r = reduce_sequence_loss(loss, weights, RULES[rule])
    for got, expected in zip((r.numerator, r.divisor, r.value), oracle.reduced(loss, weights, rule), strict=True):
        np.testing.assert_allclose(r.squeeze(got), expected, rtol=1e-12, atol=1e-12)


def test_reduced_divisor_of_zero_gives_zero_and_nan_stays_nan():
    loss = np.array([[5.0, 7.0], [np.nan, 1.0], [2.0, 2.0]])
    r = reduce_sequence_loss(loss, np.array([[1.0, -1.0], [1.0, -1.0], [1.0, 1.0]]), RULES["at"])
    assert r.squeeze(r.divisor).tolist() == [0.0, 0.0, 2.0]
    assert np.array_equal(r.squeeze(r.value), [0.0, np.nan, 2.0], equal_nan=True)


@pytest.mark.parametrize(("rule", "shape"), [("at+ab", ()), ("at", (2,)), ("ab", (0,)), ("none", (2, 0))])
def test_reduce_sequence_loss_of_no_timesteps_is_zero(rule, shape):
    r = reduce_sequence_loss(np.zeros((2, 0)), np.zeros((2, 0)), RULES[rule])
    assert np.shape(r.squeeze(r.value)) == shape
    assert not np.any(r.value)
