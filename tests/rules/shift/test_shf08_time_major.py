"""SHF08: time-major logits, reshaped."""

import numpy as np
import pytest

from lossviz import Batch
from tests.golden import LENGTHS, TARGETS, golden_logits
from tests.rules.asking import finding, good, losses, reason, sample, silent


def mixed(logits):
    """Logits [B, T, V] as they look when [T, B, V] was reshaped to [B, T, V]."""
    return logits.transpose(1, 0, 2).reshape(logits.shape)


def golden(**more):
    fields = {"logits": mixed(golden_logits()), "targets": TARGETS, "lengths": LENGTHS, "pad_id": 0}
    return Batch.from_arrays(**{**fields, **more})


def test_shf08_finds_the_golden_batch():
    batch = golden()
    counts = np.arange(5) < LENGTHS[:, None]
    assert losses(batch)[counts].mean() == pytest.approx(2.0832, abs=5e-5)
    found = finding("SHF08", batch)
    assert found.severity == "error"
    assert found.message == (
        "Read with time first, the logits give a loss of 1.255 nats instead of 2.083: they were reshaped instead of "
        "transposed."
    )
    assert found.evidence == {
        "mean loss": pytest.approx(losses(batch)[counts].mean()),
        "mean loss, time first": pytest.approx(13.8 / 11),
        "ln V": pytest.approx(np.log(6)),
    }
    assert np.array_equal(found.cells, counts)


def test_shf08_undoes_it():
    found = finding("SHF08", golden())
    assert np.array_equal(found.repaired.logits, golden_logits())
    assert found.loss_if_fixed == pytest.approx(13.8 / 11)
    assert silent("SHF08", found.repaired)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_shf08_undoes_other_shapes_and_types(dtype):
    right = good().logits.astype(dtype)
    found = finding("SHF08", good(logits=mixed(right)))
    assert np.array_equal(found.repaired.logits, right)
    assert found.repaired.logits.dtype == dtype


def test_shf08_is_not_fooled_by_ignored_labels():
    batch = golden(targets=np.where(np.arange(5) < LENGTHS[:, None], TARGETS, -100), ignore_id=-100)
    assert finding("SHF08", batch).loss_if_fixed == pytest.approx(13.8 / 11)


@pytest.mark.parametrize("cut", [np.s_[:1], np.s_[:, :1]])
def test_shf08_can_not_tell_from_one_sequence_or_one_timestep(cut):
    batch = Batch.from_arrays(logits=golden_logits()[cut], targets=TARGETS[cut])
    assert reason("SHF08", batch) == "With one sequence or one timestep, both layouts are the same."


def test_shf08_can_not_tell_of_an_untrained_model():
    assert reason("SHF08", golden(logits=np.zeros((3, 5, 6)))) == (
        "The losses are near ln V = 1.792 nats, the loss of a uniform guess: an untrained model says nothing about its "
        "targets."
    )


def test_shf08_is_silent_for_batches_laid_out_right():
    assert silent("SHF08", golden(logits=golden_logits()))
    assert silent("SHF08", good())
    assert silent("SHF08", golden(logits=golden_logits()[[1, 2, 0]]))
    assert silent("SHF08", sample("SHF08", "good"))
