"""One logit a timestep: of every timestep, or of the sequence."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import binary_cross_entropy, cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)

LABELS = (RNG.random((4, 12)) < 0.4).astype(int)
ONE = RNG.normal(0, 1, (4, 12, 1))


def test_every_timestep_mean_is_that_of_the_sigmoids() -> None:
    batch = load({"logits": ONE, "targets": LABELS, "lengths": LENGTHS})
    assert float(analyze(batch).value) == pytest.approx(mean(binary_cross_entropy(ONE[..., 0], LABELS), REAL))


def test_every_timestep_is_not_assumed_where_rows_have_one_label() -> None:
    fields = {"logits": ONE, "targets": np.repeat([[1], [0], [1], [0]], 12, axis=1)}
    assert interpret(fields).layout == "plain"
    assert interpret(fields, reduction="mean").arguments["logits"].shape == (4, 12, 2)
    assert interpret({"logits": ONE, "targets": LABELS}, reduction="classification").layout == "plain"


def test_every_timestep_probabilities_are_turned_back() -> None:
    batch = load({"logits": 1 / (1 + np.exp(-ONE)), "targets": LABELS[..., None].astype(float)})
    assert float(analyze(batch).value) == pytest.approx(binary_cross_entropy(ONE[..., 0], LABELS).mean())


def test_every_timestep_probabilities_without_an_axis_of_classes_are_turned_back() -> None:
    fields = {"y_pred": 1 / (1 + np.exp(-ONE[..., 0])), "y_true": LABELS.astype(float), "lengths": LENGTHS}
    reading = interpret(fields)
    assert "y_pred holds a sigmoid's probabilities, of which the logits are taken" in reading.sentence
    value = float(analyze(load(fields)).value)
    assert value == pytest.approx(mean(binary_cross_entropy(ONE[..., 0], LABELS), REAL))


def test_every_timestep_refuses_a_regression() -> None:
    with pytest.raises(InputError, match="as in a regression"):
        interpret({"logits": ONE, "targets": RNG.normal(0, 1, (4, 12, 1))})
