"""The file's own names: nothing is assumed."""

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


def test_plain_assumes_nothing_and_changes_nothing() -> None:
    reading = interpret({"logits": LOGITS, "targets": TARGETS, "lengths": LENGTHS}, layout="plain")
    assert (reading.layout, reading.sentence, reading.arguments["logits"] is LOGITS) == ("plain", "", True)


def test_plain_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="rank 3"):
        load({"logits": LOGITS[0], "targets": TARGETS[0]}, layout="plain")
    assert float(analyze(load({"logits": LOGITS, "targets": TARGETS, "lengths": LENGTHS})).value) == pytest.approx(
        RIGHT
    )
