"""Where else the logits fit, the cheapest assignment, and the shifts that undo it."""

from contextlib import suppress
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lossviz import Batch, analyze
from lossviz.rules._core.case import Case
from lossviz.rules._core.rule import CannotTell
from lossviz.rules.shift._assignment import INCREMENT, _shortest_paths, assign
from lossviz.rules.shift._misalignment import LAGS, best_fit
from lossviz.rules.shift._permuted_losses import lag_losses, mean_of, row_losses, time_major_losses
from lossviz.rules.shift._shifts import agreement, fitting_lag, moved
from tests.rules.asking import good, losses

SHAPES = ((1, 1, 2), (1, 6, 4), (5, 1, 3), (4, 5, 7))
"""Few, for TensorFlow traces its graph once for each."""


def random_case(seed, lengths=True):
    random = np.random.default_rng(seed)
    rows, timesteps, classes = SHAPES[random.integers(len(SHAPES))]
    batch = Batch.from_arrays(
        logits=3 * random.normal(size=(rows, timesteps, classes)),
        targets=random.integers(0, classes, (rows, timesteps)),
        lengths=random.integers(0, timesteps + 1, rows) if lengths else None,
    )
    return Case(analyze(batch))


@given(st.integers(0, 2**32), st.integers(0, 6), st.integers(0, 2))
@settings(max_examples=60, deadline=None)
def test_assign_finds_the_cheapest_order_of_all(seed, n, digits):
    cost = np.round(3 * np.random.default_rng(seed).normal(size=(n, n)), digits)  # few digits: many ties
    rows = assign(cost)
    assert sorted(rows.tolist()) == list(range(n))
    best = min(sum(cost[order[j], j] for j in range(n)) for order in permutations(range(n)))
    assert cost[rows, np.arange(n)].sum() == pytest.approx(best)


@given(st.integers(0, 2**32), st.sampled_from((0, *LAGS)))
@settings(max_examples=30, deadline=None)
def test_lag_losses_are_those_of_the_targets_later(seed, lag):
    case = random_case(seed)
    got, timesteps = lag_losses(case, lag), case.shape[1]
    for b, t in np.ndindex(*got.shape):
        u = t + lag
        if 0 <= u < timesteps and case.mask[b, t] and case.mask[b, u]:
            x = case.batch.logits[b, t]
            assert got[b, t] == pytest.approx(np.log(np.exp(x).sum()) - x[case.targets[b, u]])
        else:
            assert np.isnan(got[b, t])


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_time_major_losses_are_those_of_the_transposed_logits(seed):
    case = random_case(seed)
    rows, timesteps, classes = case.shape
    logits = case.batch.logits.reshape(timesteps, rows, classes).transpose(1, 0, 2)
    expected = losses(case.batch.replace(logits=np.ascontiguousarray(logits)))
    got = time_major_losses(case)
    assert got[case.mask] == pytest.approx(expected[case.mask])
    assert np.isnan(got[~case.mask]).all()


@given(st.integers(0, 2**32))
@settings(max_examples=30, deadline=None)
def test_row_losses_hold_every_pair_of_sequences(seed):
    case = random_case(seed)
    got = row_losses(case)
    for i, j in np.ndindex(*got.shape):
        other = case.batch.replace(logits=np.repeat(case.batch.logits[i : i + 1], case.shape[0], axis=0))
        assert got[i, j] == pytest.approx(losses(other)[j][case.mask[j]].sum())


def test_mean_of_leaves_out_nan_and_is_nan_for_nothing():
    assert mean_of(np.array([1.0, np.nan, 3.0])) == 2.0
    assert np.isnan(mean_of(np.array([np.nan])))


def test_case_logsumexp_needs_no_target():
    case = random_case(1)
    again = Case(analyze(case.batch.replace(targets=np.full(case.targets.shape, -100))))
    expected = np.log(np.exp(case.batch.logits).sum(axis=-1))
    assert case.analysis.logsumexp == pytest.approx(expected)
    assert again.analysis.logsumexp == pytest.approx(expected)
    assert not again.in_range.any()


@pytest.mark.parametrize(("lag", "rate"), [(0, 0.0), (1, 1.0), (2, 0.0)])
def test_agreement_says_how_often_targets_are_inputs_later(lag, rate):
    assert agreement(Case(analyze(good())), lag) == (rate, 15 - 3 * lag)


def test_agreement_of_nothing_is_0():
    assert agreement(Case(analyze(good(inputs=None))), 1) == (0.0, 0)
    assert agreement(Case(analyze(good())), 6) == (0.0, 0)


def test_fitting_lag_is_0_where_the_loss_is_low_and_unknown_where_the_model_guesses():
    assert fitting_lag(Case(analyze(good()))) == 0
    assert fitting_lag(Case(analyze(good(targets=good().inputs)))) == 1
    assert fitting_lag(Case(analyze(good(logits=np.zeros((3, 6, 8)))))) is None
    assert fitting_lag(Case(analyze(good(logits=good().logits[[1, 2, 0]])))) is None


def test_moved_there_and_back_loses_only_what_left_the_batch():
    batch = good(inputs=None)
    there = moved(Case(analyze(batch)), 1)
    back = moved(Case(analyze(there)), -1)
    counts = np.arange(6) < batch.lengths[:, None]
    counts[:, 0] = False
    assert np.array_equal(back.targets[counts], batch.targets[counts])
    assert np.array_equal(back.weights, counts)


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_case_fit_is_nothing_or_better_by_half_a_nat_or_a_third(seed):
    case = random_case(seed, lengths=False)
    with suppress(CannotTell):
        fit = best_fit(case)
        assert fit is None or fit.after <= 0.8 * case.uniform < fit.before


def permuted_case(sequences, timesteps, classes, knows):
    """Logits of unit noise that know the targets of another sequence, and the order that puts them back."""
    random = np.random.default_rng(0)
    targets = random.integers(0, classes, (sequences, timesteps))
    logits = random.normal(size=(sequences, timesteps, classes)) + knows * np.eye(classes)[targets]
    order = random.permutation(sequences)
    return Case(analyze(Batch.from_arrays(logits=logits[order], targets=targets))), np.argsort(order)


@pytest.mark.parametrize("n", [257, 400])
def test_assign_of_many_rows_uses_each_once_and_comes_close_to_the_best(n):
    cost = np.random.default_rng(n).normal(size=(n, n))
    rows = assign(cost)
    assert sorted(rows.tolist()) == list(range(n))
    best = cost[_shortest_paths(cost), np.arange(n)].sum()
    assert best <= cost[rows, np.arange(n)].sum() <= best + INCREMENT * n


def test_assign_of_many_rows_alike_ends_within_its_work(monkeypatch):
    """Rows that cost the same are bid for without end; what is left is shared out."""
    monkeypatch.setattr("lossviz.rules.shift._assignment.MOST_BIDS", 300 * 300)
    cost = np.random.default_rng(0).integers(0, 2, (300, 1)) + np.zeros((300, 300))
    assert sorted(assign(cost).tolist()) == list(range(300))


def test_order_of_many_sequences_is_found_above_the_exact_size():
    case, order = permuted_case(400, 24, 12, knows=3.0)
    fit = best_fit(case)
    assert (fit.kind, fit.order.tolist()) == ("rows", order.tolist())


def test_order_is_not_looked_for_where_none_could_prove_itself(monkeypatch):
    """2,048 sequences of one timestep and two classes: 1,420 nats at most against ln 2048! = 13,572 of chance."""

    def never(*_):
        raise AssertionError("compared every sequence with every other")

    monkeypatch.setattr("lossviz.rules.shift._misalignment.row_losses", never)
    case, _ = permuted_case(2048, 1, 2, knows=9.0)
    assert best_fit(case) is None


def test_order_is_found_on_a_part_of_the_timesteps(monkeypatch):
    case, order = permuted_case(8, 40, 6, knows=3.0)
    whole = best_fit(case)
    monkeypatch.setattr("lossviz.rules.shift._misalignment.MANY", 8 * 8 * 20)
    again, _ = permuted_case(8, 40, 6, knows=3.0)
    part = best_fit(again)
    assert part.order.tolist() == order.tolist()
    assert (part.before, part.after) == (whole.before, whole.after)


def test_lag_is_found_on_a_part_of_the_sequences(monkeypatch):
    random = np.random.default_rng(0)
    targets = random.integers(0, 9, (12, 10))
    logits = random.normal(size=(12, 10, 9)) + 6 * np.eye(9)[np.roll(targets, -1, axis=1)]
    batch = Batch.from_arrays(logits=logits, targets=targets)
    whole = best_fit(Case(analyze(batch)))
    monkeypatch.setattr("lossviz.rules.shift._misalignment.ENOUGH", 30)
    part = best_fit(Case(analyze(batch)))
    assert (part.kind, part.lag, part.before, part.after) == ("lag", 1, whole.before, whole.after)
    assert np.array_equal(part.cells, whole.cells)
