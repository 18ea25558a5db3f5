"""Other names are taken and said."""

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


def test_renamed_fields_are_taken_by_their_names() -> None:
    reading = interpret({"output": LOGITS, "y_true": TARGETS, "loss_mask": REAL})
    assert reading.sentence == (
        "read as Other names: output holds the logits; y_true holds the targets; loss_mask weighs the loss"
    )
    batch = load({"output": LOGITS, "y_true": TARGETS, "loss_mask": REAL})
    assert float(analyze(batch).value) == pytest.approx(RIGHT)


def test_renamed_weights_are_left_out_on_request() -> None:
    assert "weights" not in interpret({"logits": LOGITS, "targets": TARGETS, "mask": REAL}, weights="none").arguments


def test_renamed_weights_that_are_not_there_are_refused() -> None:
    with pytest.raises(InputError, match="`weights` names `masc`"):
        interpret({"logits": LOGITS, "targets": TARGETS, "mask": REAL}, weights="masc")
