"""SHF06: the logits fit the targets of another timestep."""

import numpy as np
import pytest

from lossviz import Batch
from lossviz.samples import SAMPLES, load_sample
from tests.rules.asking import finding, good, reason, sample, silent
from tests.rules.shift.test_shf01_targets_not_shifted import PEAK, REST, sure


def guess(targets, predicted=(2, 3, 2, 1), **more):
    return Batch.from_arrays(**{"logits": sure(*predicted), "targets": [targets], **more})


def lags(found):
    return {name: round(loss, 3) for name, loss in found.evidence.items()}


def test_shf06_finds_targets_that_were_not_shifted():
    found = finding("SHF06", guess([4, 2, 3, 2]))
    assert found.severity == "error"
    assert found.message == (
        f"The logits fit the targets 1 timestep later: {-PEAK:.4g} nats instead of 4.071; the targets were not shifted."
    )
    assert lags(found) == {
        "mean loss, lag -2": 4.071,
        "mean loss, lag -1": 2.737,
        "mean loss": 4.071,
        "mean loss, lag +1": 0.071,
        "mean loss, lag +2": 4.071,
    }
    assert found.cells.tolist() == [[True, True, True, False]]
    assert found.repaired.targets.tolist() == [[2, 3, 2, 0]]
    assert found.loss_if_fixed == pytest.approx(-PEAK)


def test_shf06_finds_targets_that_were_shifted_twice():
    found = finding("SHF06", guess([3, 2, 1, 0]))
    assert found.message == (
        f"The logits fit the targets 1 timestep earlier: {-PEAK:.4g} nats instead of 4.071; the targets were shifted "
        "twice."
    )
    assert [lags(found)[name] for name in ("mean loss, lag -1", "mean loss", "mean loss, lag +1")] == [
        0.071,
        4.071,
        2.737,
    ]
    assert found.cells.tolist() == [[False, True, True, True]]
    assert found.repaired.targets.tolist() == [[0, 3, 2, 1]]
    assert found.repaired.weights.tolist() == [[0, 1, 1, 1]]
    assert found.loss_if_fixed == pytest.approx(-PEAK)


@pytest.mark.parametrize("lag", [-2, -1, 1, 2])
def test_shf06_finds_every_lag_and_undoes_it(lag):
    tokens = np.random.default_rng(1).integers(0, 9, (4, 12))
    logits = 6.0 * np.eye(9)[np.roll(tokens, -lag, axis=1)]  # what stands `lag` later
    batch = Batch.from_arrays(logits=logits, targets=tokens)
    found = finding("SHF06", batch)
    timesteps = "1 timestep" if abs(lag) == 1 else "2 timesteps"
    assert found.message.startswith(f"The logits fit the targets {timesteps} {'later' if lag > 0 else 'earlier'}: ")
    assert found.loss_if_fixed == pytest.approx(np.log(1 + 8 * np.exp(-6)))
    sliced = f"targets[:, {lag}:]" if lag > 0 else f"targets[:, :{lag}]"
    assert sliced in found.fix["TensorFlow"]
    assert sliced in found.fix["PyTorch"]


def test_shf06_is_an_info_where_the_loop_shifts_inside():
    found = finding("SHF06", guess([4, 2, 3, 2], reported="0.071"))
    assert found.severity == "info"
    assert found.message.endswith("; the printed number is the former, so the training loop shifts internally.")
    assert finding("SHF06", guess([4, 2, 3, 2], reported="4.071")).severity == "error"


def test_shf06_looks_only_at_what_counts():
    batch = guess([4, 2, 3, 2], lengths=[2])
    assert silent("SHF06", batch)  # one pair of timesteps is too little to say


def test_shf06_can_not_tell_of_an_untrained_model():
    batch = Batch.from_arrays(logits=np.zeros((2, 8, 50)), targets=np.arange(16).reshape(2, 8))
    assert reason("SHF06", batch) == (
        "The losses are near ln V = 3.912 nats, the loss of a uniform guess: an untrained model says nothing about its "
        "targets."
    )


def test_shf06_can_not_tell_where_nothing_counts_or_one_class_is_all():
    assert reason("SHF06", good(lengths=[0, 0, 0])) == "No timestep that counts has a loss."
    single = Batch.from_arrays(logits=np.zeros((1, 2, 1)), targets=[[0, 0]])
    assert reason("SHF06", single) == "There is only one class, so every loss is 0."


def test_shf06_is_silent_in_data_that_repeats():
    pair = np.tile([[3, 4]], (4, 5))
    assert silent("SHF06", Batch.from_arrays(logits=6.0 * np.eye(9)[pair[:, ::-1]], targets=pair))
    assert silent("SHF06", Batch.from_arrays(logits=6.0 * np.eye(9)[np.full((4, 9), 5)], targets=np.full((4, 9), 3)))


@pytest.mark.parametrize("name", [sample.name for sample in SAMPLES if sample.group != "Wrong on purpose"])
def test_shf06_says_nothing_loud_of_the_samples(name):
    assert finding("SHF06", Batch.from_arrays(**load_sample(name))) is None


def test_shf06_sample_is_repaired():
    found = finding("SHF06", sample("SHF06"))
    assert silent("SHF06", found.repaired)
    assert -REST > 4
