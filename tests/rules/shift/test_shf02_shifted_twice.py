"""SHF02: the targets were shifted twice."""

import numpy as np
import pytest

from lossviz import Batch
from tests.rules.asking import finding, good, losses, reason, sample, silent
from tests.rules.shift.test_shf01_targets_not_shifted import PEAK, REST, sure


def tiny(**more):
    """The catalogue's: inputs [4, 2, 3, 2], targets [3, 2, 1, 0], and a model that knows what comes next."""
    fields = {"logits": sure(2, 3, 2, 1), "targets": [[3, 2, 1, 0]], "inputs": [[4, 2, 3, 2]]}
    return Batch.from_arrays(**{**fields, **more})


def test_shf02_finds_the_example_of_the_catalogue():
    found = finding("SHF02", tiny())
    assert found.severity == "error"
    assert found.message == (
        "100% of the targets equal the input two timesteps later, 0% the next input: they were shifted twice, and "
        f"the logits fit the previous target: {-PEAK:.4g} nats, not 4.071."
    )
    assert found.evidence == {
        "targets that are the input two timesteps later": 1.0,
        "targets that are the next input": 0.0,
        "mean loss": pytest.approx(-REST),
        "mean loss, targets one timestep earlier": pytest.approx(-PEAK),
    }
    assert found.cells.all()


def test_shf02_takes_the_first_target_from_the_inputs():
    found = finding("SHF02", tiny())
    assert found.repaired.targets.tolist() == [[2, 3, 2, 1]]
    assert found.repaired.weights.tolist() == [[1, 1, 1, 1]]
    assert found.loss_if_fixed == pytest.approx(-PEAK)
    assert silent("SHF02", found.repaired)


def test_shf02_sample_is_repaired_to_the_batch_it_was_made_of():
    bad, right = sample("SHF02"), good()
    repaired = finding("SHF02", bad).repaired
    counts = np.arange(6) < right.lengths[:, None]
    assert repaired.lengths.tolist() == right.lengths.tolist()
    assert np.array_equal(repaired.targets[counts], right.targets[counts])
    assert finding("SHF02", bad).loss_if_fixed == pytest.approx(losses(right)[counts].mean())


def test_shf02_is_an_info_where_the_model_looks_two_ahead():
    tokens = np.random.default_rng(0).permutation(40)[None]
    logits = 9 * np.eye(40)[tokens[:, 2:]]
    found = finding("SHF02", Batch.from_arrays(logits=logits, targets=tokens[:, 2:], inputs=tokens[:, :-2]))
    assert found.severity == "info"
    assert found.message == (
        "100% of the targets equal the input two timesteps later, 0% the next input, and the model predicts them: "
        "correct for a head that predicts two tokens ahead."
    )


def test_shf02_can_not_tell_in_data_that_repeats_every_two_timesteps():
    tokens = np.tile([[3, 4]], (1, 5))
    batch = Batch.from_arrays(logits=np.zeros((1, 8, 5)), targets=tokens[:, 2:], inputs=tokens[:, :-2])
    assert reason("SHF02", batch) == (
        "The inputs repeat every two timesteps, so the targets fit both the input and the one two later."
    )


def test_shf02_can_not_tell_from_a_few_targets_and_an_untrained_model():
    assert reason("SHF02", tiny(logits=np.zeros((1, 4, 5)))) == (
        "Only 2 targets equal the input two timesteps later: too few to rule out chance."
    )


def test_shf02_needs_no_trained_model_where_chance_is_excluded():
    tokens = np.random.default_rng(0).permutation(40)[None]
    batch = Batch.from_arrays(logits=np.zeros((1, 38, 40)), targets=tokens[:, 2:], inputs=tokens[:, :-2])
    found = finding("SHF02", batch)
    assert found.severity == "error"
    assert found.message == (
        "100% of the targets equal the input two timesteps later, 0% the next input: they were shifted twice."
    )


def test_shf02_is_silent_for_language_models():
    assert silent("SHF02", good())
    assert silent("SHF02", good(targets=np.full((3, 6), 3), inputs=np.full((3, 6), 3)))
