"""Several labels a timestep: the mean over labels."""

import numpy as np
import pytest

from lossviz import analyze, load
from tests.layouts.oracle_layouts import binary_cross_entropy, cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)


def test_multi_label_mean_is_that_over_the_labels() -> None:
    labels = RNG.random(LOGITS.shape) < 0.3
    batch = load({"logits": LOGITS, "targets": labels.astype(int), "lengths": LENGTHS})
    assert batch.shape == (4, 60, 2)
    expected = mean(binary_cross_entropy(LOGITS, labels), np.repeat(REAL[..., None], 5, axis=2))
    assert float(analyze(batch).value) == pytest.approx(expected)


def test_multi_label_probabilities_are_turned_back() -> None:
    labels = RNG.random(LOGITS.shape) < 0.3
    batch = load({"logits": 1 / (1 + np.exp(-LOGITS)), "targets": labels.astype(int)})
    assert float(analyze(batch).value) == pytest.approx(binary_cross_entropy(LOGITS, labels).mean())
