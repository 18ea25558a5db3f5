"""Flat rows become one sequence, or get the axes of the logits."""

import numpy as np
import pytest

from lossviz import analyze, load
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)


def test_flat_rows_have_the_same_mean() -> None:
    batch = load({"logits": LOGITS[REAL], "targets": TARGETS[REAL]})
    assert batch.shape == (1, 31, 5)
    assert float(analyze(batch).value) == pytest.approx(RIGHT)


def test_flat_targets_get_the_axes_of_the_logits() -> None:
    batch = load({"logits": LOGITS, "targets": TARGETS.ravel(), "lengths": LENGTHS})
    assert float(analyze(batch).value) == pytest.approx(RIGHT)


def test_flat_one_hot_rows_become_classes() -> None:
    batch = load({"logits": LOGITS[REAL], "targets": np.eye(5)[TARGETS[REAL]]})
    assert float(analyze(batch).value) == pytest.approx(RIGHT)
