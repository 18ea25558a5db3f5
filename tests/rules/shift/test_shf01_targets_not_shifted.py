"""SHF01: the targets are the inputs."""

import numpy as np
import pytest

from lossviz import Batch, diagnose
from tests.rules.asking import finding, good, losses, reason, sample, silent

PEAK, REST = 4 - np.log(np.exp(4) + 4), -np.log(np.exp(4) + 4)


def sure(*predicted, classes=5):
    """Logits of 4 for the predicted class and 0 for the others, [1, T, V]."""
    return 4.0 * np.eye(classes)[[predicted]]


def tiny(**more):
    """The catalogue's: inputs and targets [4, 2, 3, 2], and a model that knows what comes next."""
    tokens = [[4, 2, 3, 2]]
    return Batch.from_arrays(**{"logits": sure(2, 3, 2, 1), "targets": tokens, "inputs": tokens, **more})


def test_shf01_finds_the_example_of_the_catalogue():
    found = finding("SHF01", tiny())
    assert found.severity == "error"
    assert found.message == (
        "100% of the targets equal the input of the same timestep, while the logits fit the next one: 0.07073 nats "
        "instead of 4.071."
    ).replace("0.07073", f"{-PEAK:.4g}")
    assert found.evidence == {
        "targets that are their own input": 1.0,
        "targets that are the next input": 0.0,
        "mean loss": pytest.approx(-REST),
        "mean loss, targets one timestep later": pytest.approx(-PEAK),
    }
    assert (round(-REST, 3), round(-PEAK, 3)) == (4.071, 0.071)
    assert found.cells.tolist() == [[True] * 4]


def test_shf01_repairs_the_targets_and_what_counts():
    found = finding("SHF01", tiny())
    assert found.repaired.targets.tolist() == [[2, 3, 2, 0]]
    assert found.repaired.weights.tolist() == [[1, 1, 1, 0]]
    assert found.loss_if_fixed == pytest.approx(-PEAK)
    assert silent("SHF01", found.repaired)


def test_shf01_keeps_lengths_as_lengths():
    batch = good(targets=good().inputs)
    found = finding("SHF01", batch)
    assert found.repaired.lengths.tolist() == [3, 5, 4]
    assert found.repaired.targets.tolist() == [[4, 5, 7, 0, 0, 0], [3, 4, 5, 6, 7, 0], [3, 7, 5, 6, 0, 0]]
    right = losses(good())[np.arange(6) < good().lengths[:, None] - 1]
    assert found.loss_if_fixed == pytest.approx(right.mean())


def test_shf01_moves_weights_with_their_targets():
    batch = tiny(weights=[[1.0, 2.0, 3.0, 4.0]], ignore_id=-100)
    repaired = finding("SHF01", batch).repaired
    assert repaired.weights.tolist() == [[2, 3, 4, 0]]
    assert repaired.targets.tolist() == [[2, 3, 2, -100]]


def test_shf01_is_an_info_where_the_model_shifts_inside():
    found = finding("SHF01", tiny(reported="0.0707"))
    assert found.severity == "info"
    assert found.message.endswith("; the printed number is the former, so the model shifts internally.")
    assert finding("SHF01", tiny(reported="4.0707")).severity == "error"


def test_shf01_is_an_info_where_the_model_copies():
    found = finding("SHF01", tiny(logits=sure(4, 2, 3, 2)))
    assert found.severity == "info"
    assert found.message == (
        "100% of the targets equal the input of the same timestep, and the model copies them: correct for taggers and "
        "autoencoders, wrong for a language model."
    )


def test_shf01_is_an_info_where_the_logits_say_nothing():
    found = finding("SHF01", tiny(logits=np.zeros((1, 4, 5))))
    assert found.severity == "info"
    assert found.message == (
        "100% of the targets equal the input of the same timestep; the logits can't tell whether that is intended."
    )


def test_shf01_is_silent_for_constant_sequences_and_language_models():
    same = [[3, 3, 3, 3]]
    assert silent("SHF01", tiny(targets=same, inputs=same))
    assert silent("SHF01", good())
    assert silent("SHF01", tiny(lengths=[1]))


def test_shf01_needs_inputs():
    assert reason("SHF01", good(inputs=None)) == "Needs `inputs`, which this batch does not have."


def test_shf01_is_the_one_finding_of_its_sample():
    diagnosis = diagnose(sample("SHF01"))
    assert [found.code for found in diagnosis.findings] == ["SHF01"]
    assert diagnosis.outcome("SHF06").reason == "SHF01 was found and explains the same timesteps."
