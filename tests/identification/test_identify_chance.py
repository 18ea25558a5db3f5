"""How seldom a number that no loop printed is explained, and what decides it."""

import numpy as np

from lossviz.identification._chance import Chance
from lossviz.identification._hypothesis import BUG, Hypothesis
from lossviz.identification._reported import read_printed
from tests.bench._false_hits import false_hits


def hypothesis(cost):
    return Hypothesis(
        *("X", "", np.array([1.02]), "bug", BUG, cost, "", ""), lambda: (np.zeros((1, 1)), np.zeros((1, 1), bool))
    )


def test_identify_seldom_explains_a_random_number():
    """36 numbers of 6 batches; `make doctor-bench` asks for 1,000, of which 1 % and 3 % may have such answers."""
    hits = false_hits(seed=3, batches=6, each=6)
    assert hits.asked == 36
    assert hits.certain <= 1
    assert hits.possible <= 3


def test_identify_counts_chance_among_formulas_at_least_as_likely():
    """Of three near values, two are as likely as the one in question; each hits with the odds of tolerance ÷ reach."""
    printed = read_printed("1.02")
    values, tiers, costs = np.array([1.0, 1.01, 1.05, 3.0]), np.array([BUG] * 4), np.array([2.0, 5.0, 9.0, 1.0])
    chance = Chance((values, tiers, costs), [printed])
    odds = printed.tolerance / (0.1 * printed.value)
    assert [round(chance.of(hypothesis(cost)) / odds, 6) for cost in (1.0, 2.0, 5.0, 20.0)] == [0, 1, 2, 3]
