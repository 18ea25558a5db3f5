"""Time first: the axes are swapped."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)


def test_time_major_is_shown_by_the_lengths() -> None:
    fields = {"logits": LOGITS.swapaxes(0, 1), "targets": TARGETS.T, "lengths": LENGTHS}
    assert float(analyze(load(fields)).value) == pytest.approx(RIGHT)
    assert load(fields).assumptions == ("time comes first, so the first two axes are swapped",)


def test_time_major_is_believed_where_nothing_shows_it() -> None:
    fields = {"logits": LOGITS.swapaxes(0, 1), "targets": TARGETS.T}
    assert interpret(fields).layout == "plain"
    assert interpret(fields, layout="time-major").arguments["targets"].shape == (4, 12)


def test_time_major_targets_alone_are_turned_where_the_lengths_say_whose_axis_is_first():
    fields = {"logits": np.zeros((2, 3, 4)), "targets": np.array([[1, 1], [2, 0], [3, 0]]), "lengths": np.array([3, 1])}
    reading = interpret(fields)
    assert reading.arguments["targets"].tolist() == [[1, 2, 3], [1, 0, 0]]
    assert reading.sentence == "read as Time first: time comes first in the targets, so their axes are swapped"
