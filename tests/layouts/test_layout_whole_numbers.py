"""Labels of a float type: whole numbers become integers, others are refused."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.errors import InputError
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
REAL = np.arange(9) < np.array([9, 6, 4])[:, None]
LOGITS = RNG.normal(0, 1.5, (3, 9, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (3, 9)), 0)


@pytest.mark.parametrize("axis", [False, True], ids=["[B, T]", "[B, T, 1]"])
@pytest.mark.parametrize("kind", ["float16", "float32", "float64"])
def test_whole_numbers_are_read_as_integers(kind: str, axis: bool) -> None:
    labels = TARGETS.astype(kind)[..., None] if axis else TARGETS.astype(kind)
    batch = load({"y_pred": LOGITS, "y_true": labels, "sample_weight": REAL})
    assert float(analyze(batch).value) == pytest.approx(mean(cross_entropy(LOGITS, TARGETS), REAL))
    assert f"y_true are whole numbers of {kind}, read as integers" in batch.assumptions


def test_whole_numbers_of_minus_100_are_ignored() -> None:
    batch = load({"logits": LOGITS, "targets": np.where(REAL, TARGETS, -100.0)})
    assert (batch.ignore_id, batch.targets.dtype) == (-100, np.int64)


@pytest.mark.parametrize("odd", [0.5, np.nan, 1e300])
def test_whole_numbers_are_no_fractions(odd: float) -> None:
    labels = TARGETS.astype(float)
    labels[0, 0] = odd
    with pytest.raises(InputError):
        load({"logits": LOGITS, "targets": labels})


def test_whole_numbers_are_refused_by_the_plain_layout() -> None:
    with pytest.raises(InputError, match="`targets` must be integers; got float64"):
        load({"logits": LOGITS, "targets": TARGETS.astype(float)}, layout="plain")
    assert "whole-numbers" not in interpret({"logits": LOGITS, "targets": TARGETS}).layout
