"""One-hot targets: argmax, and rows of zeros are padding."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)


def test_one_hot_rows_of_zeros_are_padding() -> None:
    batch = load({"logits": LOGITS, "targets": np.eye(5)[TARGETS] * REAL[..., None]})
    assert (batch.ignore_id, batch.assumptions) == (-100, ("the targets are one-hot; rows of zeros are padding",))
    assert float(analyze(batch).value) == pytest.approx(RIGHT)


def test_one_hot_rows_that_were_smoothed_say_epsilon() -> None:
    reading = interpret({"logits": LOGITS, "targets": np.eye(5)[TARGETS] * 0.9 + 0.02})
    assert reading.assumptions[0].text.startswith("the targets are one-hot, smoothed with ε = 0.1 ")
    assert np.array_equal(reading.arguments["targets"], TARGETS)


def test_one_hot_refuses_distributions() -> None:
    with pytest.raises(InputError, match="soft targets, as distillation has them"):
        interpret({"logits": LOGITS, "targets": RNG.dirichlet(np.ones(5), (4, 12))})
