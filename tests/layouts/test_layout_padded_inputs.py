"""Labels padded with a class: the inputs of a tagger say where the padding is."""

import numpy as np
import pytest

from lossviz import analyze, load
from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(4)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
TARGETS = np.where(REAL, RNG.choice(5, (4, 12), p=[0.6, 0.1, 0.1, 0.1, 0.1]), 0)
FIELDS = {
    "logits": RNG.normal(0, 1.5, (4, 12, 5)),
    "targets": TARGETS,
    "inputs": np.where(REAL, RNG.integers(10, 99, (4, 12)), 0),
    "pad_id": 0,
}
SAID = "the inputs show 17 timesteps of padding, which don't count; the pad id 0 is also a label"


def test_padded_inputs_mean_is_over_the_timesteps_that_are_read() -> None:
    batch = load(FIELDS)
    assert float(analyze(batch).value) == pytest.approx(mean(cross_entropy(FIELDS["logits"], TARGETS), REAL))
    assert (batch.assumptions, batch.lengths.tolist()) == ((SAID,), LENGTHS.tolist())


def test_padded_inputs_on_the_left_become_weights() -> None:
    turned = {name: FIELDS[name][:, ::-1] for name in ("logits", "targets", "inputs")}
    assert load({**turned, "pad_id": 0}).weights.tolist() == REAL[:, ::-1].tolist()


@pytest.mark.parametrize(
    "more",
    [
        {"lengths": LENGTHS},
        {"weights": REAL.astype(float)},
        {"targets": np.where(REAL, TARGETS, -100)},
        {"targets": np.where(REAL, 1 + TARGETS % 4, 0)},
        {"targets": np.where(REAL, TARGETS, 3)},
        {"inputs": np.where(REAL, FIELDS["inputs"], 99)},
        {"inputs": np.where(REAL, np.roll(TARGETS + 5 * (TARGETS == 0), 1, axis=1), 0)},
    ],
    ids=["lengths", "weights", "ignored", "no such label", "other filler", "other pad id", "a language model"],
)
def test_padded_inputs_are_left_to_what_else_says_what_counts(more) -> None:
    assert "padded-inputs" not in interpret(FIELDS | more).layout
