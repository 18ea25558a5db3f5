"""Fewer names than columns."""

import numpy as np

from lossviz.layouts import interpret
from tests.layouts.oracle_layouts import cross_entropy, mean

RNG = np.random.default_rng(0)
LENGTHS = np.array([12, 9, 6, 4])
REAL = np.arange(12) < LENGTHS[:, None]
LOGITS = RNG.normal(0, 1.5, (4, 12, 5))
TARGETS = np.where(REAL, RNG.integers(0, 5, (4, 12)), 0)
RIGHT = mean(cross_entropy(LOGITS, TARGETS), REAL)


def test_padded_vocabulary_is_named_with_its_cost() -> None:
    fields = {"logits": LOGITS, "targets": np.minimum(TARGETS, 2), "vocabulary": ["a", "b", "c"]}
    reading = interpret(fields)
    assert reading.arguments["vocabulary"] == ["a", "b", "c", "<unused 3>", "<unused 4>"]
    cost = np.mean(np.log(np.exp(LOGITS).sum(-1)) - np.log(np.exp(LOGITS[..., :3]).sum(-1)))
    assert reading.assumptions[0].text == (
        f"columns 3 to 4 have no name and are never a target: padding of the vocabulary, which costs {cost:.4f} nats a "
        "timestep"
    )


def test_padded_vocabulary_says_where_targets_lie_in_columns_without_names() -> None:
    fields = {"logits": LOGITS, "targets": np.full((4, 12), 4), "vocabulary": ["a", "b", "c", "d"]}
    assert interpret(fields).assumptions[0].text == "column 4 has no name, although 48 targets lie there"
