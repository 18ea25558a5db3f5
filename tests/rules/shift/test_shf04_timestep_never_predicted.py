"""SHF04: a first or last timestep that was never predicted."""

import numpy as np
import pytest

from lossviz import Batch
from tests.golden import LENGTHS, TARGETS, golden_logits
from tests.rules.asking import finding, good, losses, places, reason, sample, silent


def golden(*columns, **more):
    logits = golden_logits().astype(more.pop("dtype", float))
    logits[:, list(columns)] = 0.25
    return Batch.from_arrays(**{"logits": logits, "targets": TARGETS, "lengths": LENGTHS, "pad_id": 0, **more})


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_shf04_finds_a_first_timestep_of_the_golden_batch(dtype):
    batch = golden(0, dtype=dtype)
    found = finding("SHF04", batch)
    assert found.severity == "error"
    assert found.message == (
        "All logits of the first timestep are equal in 3 sequences, a loss of ln 6 = 1.7918 nats: nothing was "
        "predicted there."
    )
    assert places(found.cells) == [(0, 0), (1, 0), (2, 0)]
    assert found.evidence == {"timesteps": 3, "ln V": pytest.approx(1.791759)}
    assert losses(batch)[:, 0] == pytest.approx([np.log(6)] * 3)
    assert "logits[:, 1:], targets[:, 1:], weights[:, 1:]" in found.fix["TensorFlow"]


def test_shf04_repairs_by_leaving_the_timestep_out():
    found = finding("SHF04", golden(0))
    assert found.repaired.weights.tolist() == [[0, 1, 1, 1, 1], [0, 1, 1, 1, 0], [0, 1, 0, 0, 0]]
    assert found.loss_if_fixed == pytest.approx((13.8 - 0.7 - 0.1 - 4.0) / 8)
    assert silent("SHF04", found.repaired)


def test_shf04_finds_the_last_timestep_of_those_that_have_it():
    found = finding("SHF04", golden(4))
    assert found.message == (
        "All logits of the last timestep are equal in 1 sequence, a loss of ln 6 = 1.7918 nats: nothing was predicted "
        "there."
    )
    assert places(found.cells) == [(0, 4)]
    assert "[:, :-1]" in found.fix["PyTorch"]


def test_shf04_finds_both_ends():
    found = finding("SHF04", golden(0, 4))
    assert found.message.startswith("All logits of the first and the last timestep are equal in 3 sequences, ")
    assert places(found.cells) == [(0, 0), (0, 4), (1, 0), (2, 0)]
    assert "[:, 1:-1]" in found.fix["PyTorch"]


def test_shf04_is_silent_where_one_sequence_differs_or_nothing_counts_there():
    logits = golden(0).logits.copy()
    logits[1, 0, 0] = 0.2501
    assert silent("SHF04", golden(logits=logits))
    assert silent("SHF04", golden(0, weights=np.arange(5) > np.zeros_like(TARGETS)))
    assert silent("SHF04", golden())
    assert silent("SHF04", golden(2))


def test_shf04_is_silent_where_padding_counts():
    """Flat logits are what padding often has; that it counts is another bug."""
    targets = [[2, 3, 4, 1, 0], [3, 4, 4, 1, 0], [4, 1, 0, 0, 0]]
    assert silent("SHF04", golden(4, lengths=[4, 5, 2], targets=targets, eos_id=1))


def test_shf04_can_not_tell_of_an_untrained_model():
    assert reason("SHF04", golden(0, 1, 2, 3, 4)) == (
        "The losses are near ln V = 1.792 nats, the loss of a uniform guess: an untrained model says nothing about its "
        "targets."
    )


def test_shf04_is_silent_where_most_timesteps_are_flat():
    assert silent(
        "SHF04",
        golden(0, 1, 2, lengths=[5, 5, 5], logits=np.where(np.arange(5)[:, None] < 4, 0.0, 9.0 * golden_logits())),
    )


def test_shf04_can_not_tell_from_one_timestep_or_one_class():
    one = Batch.from_arrays(logits=np.zeros((2, 1, 3)), targets=[[1], [2]])
    assert reason("SHF04", one) == "There is only one timestep."
    single = Batch.from_arrays(logits=np.zeros((2, 2, 1)), targets=[[0, 0], [0, 0]])
    assert reason("SHF04", single) == "There is only one class, so every loss is 0."


def test_shf04_good_and_bad_sample():
    assert silent("SHF04", good())
    assert places(finding("SHF04", sample("SHF04")).cells) == [(0, 0), (1, 0), (2, 0)]
