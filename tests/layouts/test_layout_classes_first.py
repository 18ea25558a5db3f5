"""Classes before time, as PyTorch takes them."""

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


def test_classes_first_logits_are_turned() -> None:
    fields = {"logits": LOGITS.swapaxes(1, 2), "targets": TARGETS, "lengths": LENGTHS}
    assert float(analyze(load(fields)).value) == pytest.approx(RIGHT)
    assert interpret(fields).layout == "classes-first"
