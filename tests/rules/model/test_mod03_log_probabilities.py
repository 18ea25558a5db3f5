"""MOD03: log-probabilities as logits."""

import numpy as np
import pytest

from lossviz import Batch
from tests.golden import golden_batch
from tests.rules.asking import finding, good, losses, reason, sample, silent


def normalized(logits):
    x = np.asarray(logits, np.float64)
    return (x - np.log(np.exp(x).sum(axis=-1, keepdims=True))).astype(np.float32)


def two(**more):
    """The catalogue's [2, 0], normalized in float32."""
    fields = {"logits": normalized([[[2.0, 0.0], [0.0, 2.0]]]), "targets": [[0, 0]]}
    return Batch.from_arrays(**{**fields, **more})


def test_mod03_a_second_log_softmax_changes_nothing():
    raw = Batch.from_arrays(logits=[[[2.0, 0.0], [0.0, 2.0]]], targets=[[0, 0]])
    assert losses(two()) == pytest.approx(losses(raw), abs=1e-6)
    assert losses(two())[0] == pytest.approx([np.log1p(np.exp(-2)), 2 + np.log1p(np.exp(-2))], abs=1e-6)


def test_mod03_finds_the_example_of_the_catalogue():
    found = finding("MOD03", two())
    assert found.severity == "info"
    largest = found.evidence["largest |log-sum-exp|"]
    assert 0 < largest < 1e-6
    assert found.message == (
        f"The logits are log-probabilities: their log-sum-exp is 0 within {largest:.1g} at all 2 timesteps that count. "
        "The loss is correct, but a z-loss would be 0."
    )
    assert found.cells.tolist() == [[True, True]]
    assert found.loss_if_fixed == pytest.approx(losses(two()).mean())
    assert found.repaired is None


def test_mod03_looks_at_what_counts():
    logits = two().logits.copy()
    logits[0, 1] = 5.0
    assert finding("MOD03", two(logits=logits, lengths=[1])).cells.tolist() == [[True, False]]
    assert silent("MOD03", two(logits=logits))
    assert silent("MOD03", two(lengths=[0]))


def test_mod03_is_silent_for_logits_and_for_examples_made_by_hand():
    assert silent("MOD03", good())
    assert silent("MOD03", golden_batch())
    assert silent("MOD03", Batch.from_arrays(logits=[[[2.0, 0.0]]], targets=[[0]]))
    assert silent("MOD03", two(logits=np.full((1, 2, 2), np.nan)))


def test_mod03_finds_float64_that_was_float32():
    assert finding("MOD03", two(logits=two().logits.astype(np.float64))) is not None


def test_mod03_can_not_tell_of_one_class():
    one = Batch.from_arrays(logits=np.zeros((1, 2, 1)), targets=[[0, 0]])
    assert reason("MOD03", one) == "There is only one class, and its probability is always 1."


def test_mod03_sample_is_an_info():
    assert finding("MOD03", sample("MOD03")).severity == "info"
