"""The five calculations and the sixteen flags: numerator, divisor, and what the divisor counts."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lossviz.errors import SettingsError
from lossviz.reductions import REDUCTIONS, check_flags, reduce_sequence_loss
from tests import oracle
from tests.flags import ILLEGAL, RULES

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


@pytest.mark.parametrize(
    ("name", "numerator", "divisor", "counts"),
    [
        ("mean", 15.5, 5.5, "the sum of the weights"),
        ("language_model", 15.5, 1.0, "nothing: the losses are summed"),
        ("encoder_decoder", 15.5, 2.0, "sequences in the batch"),
        ("classification", 15.5, 1.0, "nothing: the losses are summed"),
        ("sequence_loss", 15.5, 5.5, "the sum of the weights"),
    ],
)
def test_reductions_by_hand(name, numerator, divisor, counts):
    r = REDUCE[name](LOSS, WEIGHTS, RULES["at+ab"])
    assert (r.squeeze(r.numerator), r.squeeze(r.divisor), r.counts) == (numerator, divisor, counts)
    assert r.squeeze(r.value) == numerator / divisor


def test_reductions_have_a_title_a_formula_and_a_source():
    assert [r.name for r in REDUCTIONS if not (r.title and r.formula and r.source)] == []
    assert len({r.title for r in REDUCTIONS}) == len(REDUCTIONS) == 5


@given(
    st.sampled_from(sorted(RULES)),
    arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=5).flatmap(
        lambda shape: st.tuples(
            arrays.arrays(float, shape, elements=st.floats(0, 50)),
            arrays.arrays(float, shape, elements=st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0])),
        )
    ),
)
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
