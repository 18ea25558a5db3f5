"""Probabilities in the place of logits."""

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


def test_probabilities_have_the_losses_of_their_logits() -> None:
    shares = np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)
    fields = {"logits": shares, "targets": TARGETS, "lengths": LENGTHS}
    assert interpret(fields).layout == "probabilities"
    assert float(analyze(load(fields)).value) == pytest.approx(RIGHT)
    assert interpret(fields, layout="plain").arguments["logits"] is shares


def test_probabilities_in_half_precision_are_recognised() -> None:
    shares = (np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)).astype(np.float16)
    assert interpret({"logits": shares, "targets": TARGETS}).layout == "probabilities"


def test_probabilities_are_not_logits_that_do_not_add_up() -> None:
    assert interpret({"logits": np.abs(LOGITS) / 10, "targets": TARGETS}).layout == "plain"
