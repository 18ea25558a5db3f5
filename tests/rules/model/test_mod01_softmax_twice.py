"""MOD01: probabilities as logits."""

import math

import ml_dtypes
import numpy as np
import pytest

from lossviz import Batch
from lossviz.rules.model.mod01_softmax_twice import floor
from tests.golden import LENGTHS, TARGETS, golden_logits
from tests.rules.asking import finding, good, losses, reason, sample, silent

COUNTS = np.arange(5) < LENGTHS[:, None]


def golden(logits=None, **more):
    logits = np.exp(golden_logits()) if logits is None else logits  # they are log-probabilities
    return Batch.from_arrays(**{"logits": logits, "targets": TARGETS, "lengths": LENGTHS, "pad_id": 0, **more})


@pytest.mark.parametrize(("classes", "least"), [(4, 0.7437), (6, 1.0436), (32000, 9.3735)])
def test_mod01_the_floor_is_the_loss_of_a_certain_answer(classes, least):
    certain = np.zeros(classes)
    certain[0] = 1
    assert floor(classes) == pytest.approx(np.log(np.exp(certain).sum()) - 1)
    assert round(floor(classes), 4) == least


def test_mod01_finds_the_golden_batch():
    batch = golden()
    assert losses(batch)[COUNTS].mean() == pytest.approx(1.5300, abs=5e-5)
    found = finding("MOD01", batch)
    assert found.severity == "error"
    assert found.message == (
        "At 100% of the timesteps that count, the logits are probabilities that sum to 1: the loss can't fall below "
        "ln(e + 5) − 1 = 1.0436 nats."
    )
    assert np.array_equal(found.cells, COUNTS)
    assert found.evidence == {
        "timesteps": 11,
        "least loss that is possible": pytest.approx(np.log(math.e + 5) - 1),
        "mean loss": pytest.approx(losses(batch)[COUNTS].mean()),
    }


def test_mod01_takes_the_logarithm():
    found = finding("MOD01", golden())
    assert found.repaired.logits == pytest.approx(golden_logits())
    assert found.loss_if_fixed == pytest.approx(13.8 / 11)
    assert silent("MOD01", found.repaired)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16, np.float32])
def test_mod01_finds_probabilities_of_every_type(dtype):
    found = finding("MOD01", golden(np.exp(golden_logits()).astype(dtype)))
    assert found.evidence["timesteps"] == 11
    assert found.repaired.logits.dtype == np.float32
    assert found.loss_if_fixed == pytest.approx(13.8 / 11, rel=2e-2 if dtype is ml_dtypes.bfloat16 else 2e-3)


def test_mod01_survives_a_probability_of_0():
    logits = np.tile(np.eye(6)[0], (3, 5, 1))
    found = finding("MOD01", golden(logits))
    assert np.isfinite(found.repaired.logits).all()


def test_mod01_allows_one_timestep_in_a_hundred():
    targets = np.zeros((1, 200), int)
    logits = np.full((1, 200, 4), 0.25)
    logits[0, :2] = 5.0
    assert finding("MOD01", Batch.from_arrays(logits=logits, targets=targets)).evidence["timesteps"] == 198
    logits[0, 2] = 5.0
    assert silent("MOD01", Batch.from_arrays(logits=logits, targets=targets))


def test_mod01_is_silent_for_logits():
    assert silent("MOD01", golden(golden_logits()))
    assert silent("MOD01", golden(np.zeros((3, 5, 6))))
    assert silent("MOD01", golden(np.abs(golden_logits())))
    assert silent("MOD01", golden(golden_logits() - golden_logits().mean(axis=-1, keepdims=True) + 1 / 6))  # sum 1
    assert silent("MOD01", golden(lengths=[0, 0, 0]))
    assert silent("MOD01", golden(np.full((3, 5, 6), np.nan)))
    assert silent("MOD01", good())


def test_mod01_looks_at_what_counts():
    logits = np.exp(golden_logits())
    logits[~COUNTS] = -7.0
    assert np.array_equal(finding("MOD01", golden(logits)).cells, COUNTS)


def test_mod01_can_not_tell_of_one_class():
    one = Batch.from_arrays(logits=np.ones((1, 2, 1)), targets=[[0, 0]])
    assert reason("MOD01", one) == "There is only one class, and its probability is always 1."


def test_mod01_sample_is_repaired():
    found = finding("MOD01", sample("MOD01"))
    assert silent("MOD01", found.repaired)
    counts = np.arange(6) < good().lengths[:, None]
    assert found.loss_if_fixed == pytest.approx(losses(good())[counts].mean(), abs=1e-4)
