"""A pad id that no field names: rows end in runs of it."""

import numpy as np
import pytest

from lossviz import analyze, diagnose, identify, load
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(1)
REAL = np.arange(10) < np.array([10, 7, 4, 5])[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 10, 12))
TARGETS = RNG.integers(3, 12, (4, 10))
FIELDS = {"logits": LOGITS, "targets": np.where(REAL, TARGETS, 2)}
LOSSES = cross_entropy(LOGITS, FIELDS["targets"])


def test_unnamed_padding_does_not_count() -> None:
    batch = load(FIELDS)
    assert float(analyze(batch).value) == pytest.approx(mean(LOSSES, REAL))
    assert batch.assumptions == ("targets end in runs of 2, which stands nowhere else: the pad id",)
    assert identify(batch, f"{mean(LOSSES, REAL):.5f}")[0].code == "C03"


def test_unnamed_padding_that_the_loop_counts_is_pad01() -> None:
    batch = load(FIELDS | {"loss": np.float64(LOSSES.mean())})
    [finding] = [f for f in diagnose(batch).findings if f.severity != "info"]
    assert (finding.code, finding.loss_if_fixed) == ("PAD01", pytest.approx(mean(LOSSES, REAL)))


@pytest.mark.parametrize(
    "more",
    [
        {"weights": REAL},
        {"lengths": REAL.sum(axis=1)},
        {"pad_id": 5},
        {"targets": TARGETS},
        {"targets": np.where(np.arange(10) == 3, 2, FIELDS["targets"])},
        {"targets": np.where(np.arange(10) < 8, TARGETS, 2)},
    ],
    ids=["weights", "lengths", "pad id", "no runs", "stands inside", "equal runs"],
)
def test_unnamed_padding_needs_runs_of_unequal_lengths_and_no_mask(more: dict[str, object]) -> None:
    assert "unnamed-padding" not in interpret(FIELDS | more).layout
    assert interpret(FIELDS, layout="plain").layout == "plain"
