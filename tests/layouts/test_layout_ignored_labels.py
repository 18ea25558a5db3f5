"""−100 and −1 that the file doesn't declare."""

import numpy as np
import pytest

from lossviz import analyze, diagnose, identify, load
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
REAL = np.arange(9) < np.array([9, 6, 4])[:, None]
LOGITS = RNG.normal(0, 1.5, (3, 9, 7))
TARGETS = RNG.integers(0, 7, (3, 9))
LOSSES = cross_entropy(LOGITS, TARGETS)


def marked(ignored: int) -> dict[str, np.ndarray]:
    return {"logits": LOGITS, "targets": np.where(REAL, TARGETS, ignored)}


@pytest.mark.parametrize(
    ("ignored", "said"), [(-100, "−100 is ignored, as PyTorch does"), (-1, "−1 is ignored, as nanoGPT does")]
)
def test_ignored_labels_do_not_count(ignored: int, said: str) -> None:
    printed = f"{mean(LOSSES, REAL):.5f}"
    batch = load(marked(ignored) | {"loss": np.float64(printed)})
    assert float(analyze(batch).value) == pytest.approx(mean(LOSSES, REAL))
    assert batch.assumptions[-1] == said
    assert identify(batch, printed)[0].code == "C03"
    assert [f.code for f in diagnose(batch).findings if f.severity != "info"] == []


def test_ignored_labels_that_weigh_something_weigh_nothing() -> None:
    batch = load(marked(-100) | {"weights": np.ones((3, 9))})
    assert (batch.weights != 0).tolist() == REAL.tolist()
    assert "ignored-labels" not in interpret(marked(-100) | {"weights": REAL}).layout


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        (marked(-100), {"layout": "plain"}),
        (marked(-100) | {"ignore_id": -1}, {}),
        (marked(-100), {"reported": "nan"}),
        (marked(-7), {}),
        (marked(0), {}),
    ],
    ids=["plain", "declared", "printed NaN", "another id", "none"],
)
def test_ignored_labels_are_left_alone(fields: dict[str, np.ndarray], choices: dict[str, str]) -> None:
    assert "ignored-labels" not in interpret(fields, **choices).layout
