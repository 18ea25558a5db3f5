"""Bugs of the loop that leave the arrays right and show in the number that it printed: the doctor names them too."""

from collections.abc import Callable

import numpy as np
import pytest

from lossviz import Batch, diagnose
from lossviz.rules import RULES

EOS, PAD, V = 2, 0, 9
LENGTHS = np.array([7, 4, 6, 3])
ROWS, COLUMNS = np.arange(4)[:, None], np.arange(7)
COUNTS = LENGTHS[:, None] > COLUMNS


def arrays() -> dict[str, np.ndarray]:
    """Four sequences that end in </s>, with logits that know the targets a little."""
    random = np.random.default_rng(5)
    words = random.integers(3, V, (4, 7))
    targets = np.where(LENGTHS[:, None] - 1 == COLUMNS, EOS, np.where(COUNTS, words, PAD))
    inputs = np.concatenate([np.ones((4, 1), int), np.where(COUNTS, targets, PAD)[:, :-1]], axis=1)
    logits = random.normal(0, 1, (4, 7, V)) + 2.0 * (np.arange(V) == targets[..., None])
    return {"logits": logits, "targets": targets, "inputs": np.where(COUNTS, inputs, PAD)}


def losses(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    return np.log(np.exp(logits).sum(axis=2)) - np.take_along_axis(logits, targets[..., None], axis=2)[..., 0]


def mean(loss: np.ndarray, mask: np.ndarray) -> float:
    return float(loss[mask].mean())


def softmax(logits: np.ndarray) -> np.ndarray:
    return np.exp(logits) / np.exp(logits).sum(axis=2, keepdims=True)


Fields = dict[str, np.ndarray]
LOOPS: dict[str, Callable[[Fields], float]] = {
    "PAD05": lambda a: mean(losses(a["logits"], a["targets"]), COUNTS & (a["targets"] != EOS)),
    "PAD06": lambda a: mean(losses(a["logits"], a["targets"]), ~COUNTS),
    "PAD07": lambda a: mean(losses(a["logits"], a["targets"]), COUNTS[:, ::-1]),
    "PAD08": lambda a: mean(losses(a["logits"], a["targets"]), LENGTHS[:, None] + 1 > COLUMNS),
    "SHF01": lambda a: mean(losses(a["logits"], a["inputs"]), COUNTS),
    # The time-major model's logits are flattened beside the batch-major targets and weights.
    "SHF08": lambda a: mean(losses(a["logits"], a["targets"].reshape(7, 4).T), COUNTS.reshape(7, 4).T),
    "SHF10": lambda a: mean(losses(a["logits"][[2, 0, 3, 1]], a["targets"]), COUNTS),
    "MOD01": lambda a: mean(losses(softmax(a["logits"]), a["targets"]), COUNTS),
}


SAYS = {
    "PAD05": "leaves out every target with the stop id 2: 4 timesteps that count",
    "PAD06": "counts what should not count: 8 timesteps of padding instead of 20 timesteps",
    "PAD07": "counts the last len timesteps of each sequence, as if the padding came first",
    "PAD08": "ends each sequence one timestep too late: one timestep of padding of 3 sequences",
    "SHF01": "compares each timestep with the token it reads",
    "SHF08": "flattens the logits time-major and the targets batch-major",
    "SHF10": "pairs the targets with the logits of other sequences: in the order 2, 0, 3, 1",
    "MOD01": "gives probabilities to a loss that applies softmax again",
}


CELLS = {
    "PAD05": LENGTHS[:, None] - 1 == COLUMNS,
    "PAD06": np.ones((4, 7), bool),
    "PAD07": COUNTS[:, ::-1] != COUNTS,
    "PAD08": LENGTHS[:, None] == COLUMNS,
}


def batch(printed: float, digits: int = 5) -> Batch:
    return Batch.from_arrays(**arrays(), lengths=LENGTHS, pad_id=PAD, eos_id=EOS, reported=f"{printed:.{digits}f}")


@pytest.mark.parametrize("code", LOOPS)
def test_rule_is_found_in_the_printed_number(code: str) -> None:
    right, printed = mean(losses(arrays()["logits"], arrays()["targets"]), COUNTS), LOOPS[code](arrays())
    [finding] = [found for found in diagnose(batch(printed)).findings if found.severity != "info"]
    assert (finding.code, finding.severity, finding.loss_if_fixed) == (code, "error", pytest.approx(right))
    assert finding.message == (
        f"Possible: the training loop that printed {printed:.5f} {SAYS[code]}; the mean over the timesteps that count "
        f"is {right:.5g}."
    )
    np.testing.assert_array_equal(finding.cells, CELLS.get(code, COUNTS))
    assert (finding.evidence["printed"], finding.repaired) == (f"{printed:.5f}", None)
    assert {"TensorFlow", "PyTorch", "JAX"} <= set(finding.fix)


@pytest.mark.parametrize("code", LOOPS)
def test_rule_says_nothing_of_the_right_number(code: str) -> None:
    right = mean(losses(arrays()["logits"], arrays()["targets"]), COUNTS)
    assert diagnose(batch(right)).outcome(code).state in ("passed", "skipped")
    assert [found.code for found in diagnose(batch(right)).findings if found.severity != "info"] == []


def test_rule_needs_digits_to_be_told_by_a_number() -> None:
    outcome = diagnose(batch(LOOPS["PAD06"](arrays()), digits=1)).outcome("PAD06")
    assert (outcome.state, outcome.reason.endswith("Print more of them.")) == ("skipped", True)


def test_rules_in_the_number_say_so_where_they_need_something_else() -> None:
    assert {rule.code: rule.needed for rule in RULES if rule.checks_reported and rule.needed} == {
        "PAD07": "`pad_id`, or `reported`",
        "PAD08": "`pad_id`, or `reported`",
        "SHF01": "`inputs`, or `reported`",
        "SHF02": "`inputs`, or `reported`",
        "SHF05": "`pad_id`, or `reported`",
    }


def test_rule_without_what_it_needs_and_without_a_number_is_skipped() -> None:
    fields = arrays() | {"inputs": None}
    outcome = diagnose(Batch.from_arrays(**fields, lengths=LENGTHS)).outcome("PAD08")
    assert (outcome.state, outcome.reason) == ("skipped", "Needs `pad_id`, which this batch does not have.")
