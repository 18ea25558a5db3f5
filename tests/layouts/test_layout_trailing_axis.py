"""An axis of size 1 at the end is dropped."""

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


def test_trailing_axis_is_dropped() -> None:
    batch = load({"logits": LOGITS, "targets": TARGETS[..., None], "weights": REAL[..., None]})
    assert float(analyze(batch).value) == pytest.approx(RIGHT)
    assert batch.assumptions == ("the last axis of targets and weights has size 1 and is dropped",)
