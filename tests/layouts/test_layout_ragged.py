"""Rows of unequal lengths are padded, and their lengths kept."""

import numpy as np
import pytest

from lossviz import analyze, diagnose, load
from lossviz.errors import InputError
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)


def test_ragged_rows_become_a_padded_batch_with_lengths() -> None:
    rows = {
        "logits": [LOGITS[b, :n] for b, n in enumerate(LENGTHS)],
        "targets": [TARGETS[b, :n].tolist() for b, n in enumerate(LENGTHS)],
    }
    batch = load(rows)
    assert batch.lengths is not None
    assert batch.lengths.tolist() == LENGTHS.tolist()
    assert float(analyze(batch).value) == pytest.approx(RIGHT)
    assert "PAD13" not in {
        found.code for found in diagnose(batch).findings
    }  # what fills rows up is no label of the file


def test_ragged_rows_of_text_are_refused() -> None:
    with pytest.raises(InputError, match="Row 0 must be a list of numbers"):
        interpret({"logits": LOGITS, "targets": [["a"], ["b", "c"]]})
