"""SHF05: the mask was not shifted with the targets."""

import numpy as np
import pytest

from lossviz import Batch, diagnose
from tests.rules.asking import finding, good, losses, places, reason, sample, silent


def tiny(**more):
    """The catalogue's: tokens [4, 5, 1, 0, 0], and the mask of the inputs."""
    fields = {
        "logits": np.arange(24).reshape(1, 4, 6) % 7 / 2,
        "targets": [[5, 1, 0, 0]],
        "inputs": [[4, 5, 1, 0]],
        "lengths": [3],
        "pad_id": 0,
        "eos_id": 1,
    }
    return Batch.from_arrays(**{k: v for k, v in {**fields, **more}.items() if v is not None})


def test_shf05_finds_the_example_of_the_catalogue():
    batch = tiny()
    found = finding("SHF05", batch)
    assert found.severity == "error"
    assert found.message == "The mask was built from the inputs: it trains 1 pad, one in each of 1 padded sequence."
    assert places(found.cells) == [(0, 2)]
    assert found.evidence == {"pads that count": 1, "targets that don't": 0, "padded sequences": 1}
    assert found.repaired.lengths.tolist() == [2]
    assert found.loss_if_fixed == pytest.approx(losses(batch)[0, :2].mean())
    assert silent("SHF05", found.repaired)


def test_shf05_repairs_weights_where_weights_are_used():
    found = finding("SHF05", tiny(lengths=None, weights=[[1, 1, 0.5, 0]]))
    assert found.repaired.weights.tolist() == [[1, 1, 0, 0]]


def test_shf05_finds_targets_that_the_mask_drops():
    """A decoder that starts with the pad id: the mask of its inputs drops the first target, too."""
    batch = tiny(
        targets=[[5, 6, 1, 0]], inputs=[[0, 5, 6, 1]], lengths=None, weights=[[0, 1, 1, 1]], logits=np.zeros((1, 4, 7))
    )
    found = finding("SHF05", batch)
    assert found.message == (
        "The mask was built from the inputs: it trains 1 pad, one in each of 1 padded sequence, and drops 1 target."
    )
    assert places(found.cells) == [(0, 0), (0, 3)]
    assert found.repaired.weights.tolist() == [[1, 1, 1, 0]]


def test_shf05_can_not_tell_where_the_pad_id_may_be_the_end():
    assert reason("SHF05", tiny(eos_id=None)) == (
        "The pad id 0 that counts may be the end of the sequence. Declare `eos_id` to tell."
    )
    assert reason("SHF05", tiny(eos_id=0)) == (
        "The pad id 0 that counts may be the end of the sequence. Declare `eos_id` to tell."
    )
    named = tiny(eos_id=None, vocabulary=["<pad>", "</s>", *"abcd"])
    assert finding("SHF05", named).severity == "error"


def test_shf05_is_silent_for_the_mask_of_the_targets():
    assert silent("SHF05", tiny(lengths=[2]))
    assert silent("SHF05", good())
    assert silent("SHF05", sample("SHF05", "good"))


def test_shf05_is_silent_without_padding_and_for_other_masks():
    assert silent("SHF05", tiny(targets=[[5, 1, 2, 3]], inputs=[[4, 5, 1, 2]], lengths=[4]))
    assert silent("SHF05", tiny(lengths=[4]))
    assert silent("SHF05", tiny(lengths=None, weights=[[1, 0, 1, 0]]))


def test_shf05_needs_inputs_and_a_pad_id():
    assert reason("SHF05", tiny(inputs=None)) == "Needs `inputs`, which this batch does not have."
    assert reason("SHF05", tiny(inputs=None, pad_id=None)) == "Needs `pad_id`, which this batch does not have."


def test_shf05_explains_pad08():
    diagnosis = diagnose(sample("SHF05"))
    assert [found.code for found in diagnosis.findings] == ["SHF05"]
    assert places(diagnosis.finding("SHF05").cells) == [(0, 4), (2, 5)]
    assert diagnosis.outcome("PAD08").reason == "SHF05 was found and explains the same timesteps."


def test_shf05_finds_the_first_targets_lost_to_a_decoder_that_starts_with_the_pad_id():
    inputs = np.array(good().inputs)
    inputs[:, 0] = 0
    batch = good(inputs=inputs, lengths=None, weights=inputs != 0)
    found = finding("SHF05", batch)
    assert found.message == (
        "The mask was built from the inputs, which start with the pad id 0: it drops the first target of all 3 "
        "sequences."
    )
    assert places(found.cells) == [(0, 0), (1, 0), (2, 0)]
    assert finding("SHF05", found.repaired) is None
    assert silent("SHF05", good(inputs=inputs))


TOKENS = np.array([[3, 5, 6, 2, 7, 4, 1, 0], [3, 5, 2, 4, 7, 1, 0, 0], [3, 2, 6, 5, 1, 0, 0, 0]])
MASK = np.array([[0] * 4 + [1] * 3 + [0], [0] * 3 + [1] * 3 + [0] * 2, [0] * 2 + [1] * 3 + [0] * 3])
"""Prompts that end in 2, answers that end in 1."""


def answers(weights, tokens=TOKENS, **more):
    """A batch of prompts and answers, masked as given."""
    logits = np.random.default_rng(3).normal(0, 1, (*tokens[:, 1:].shape, 8))
    fields = {"logits": logits, "targets": tokens[:, 1:], "weights": weights, "pad_id": 0, "eos_id": 1}
    return Batch.from_arrays(**{k: v for k, v in (fields | {"inputs": tokens[:, :-1]} | more).items() if v is not None})


def test_shf05_moves_a_late_mask_of_answers_as_a_whole():
    found = finding("SHF05", answers(2.0 * MASK[:, :-1]))
    assert found.message == (
        "The mask is one timestep late: it trains the pad after the end of 3 sequences, and not the first token of "
        "each answer. All of it moves."
    )
    assert places(found.cells) == [(0, 3), (0, 6), (1, 2), (1, 5), (2, 1), (2, 4)]
    assert found.evidence == {"timesteps that should not count": 3, "timesteps left out": 3}
    assert found.repaired.weights.tolist() == (2.0 * MASK[:, 1:]).tolist()
    assert finding("SHF05", found.repaired) is None


def test_shf05_moves_an_early_mask_of_answers_as_a_whole():
    found = finding("SHF05", answers(np.pad(MASK[:, 2:], ((0, 0), (0, 1)))))
    assert found.message == (
        "The mask is one timestep early: it trains the last token of each prompt, and not the end of 3 sequences. "
        "All of it moves."
    )
    assert found.repaired.weights.tolist() == MASK[:, 1:].tolist()


def test_shf05_restores_the_labels_that_a_late_mask_replaced():
    late = np.where(MASK[:, :-1], TOKENS[:, 1:], -100)
    repaired = finding("SHF05", answers(None, targets=late, ignore_id=-100)).repaired
    assert repaired.targets.tolist() == np.where(MASK[:, 1:], TOKENS[:, 1:], -100).tolist()


def test_shf05_leaves_answers_that_start_in_time_and_end_late_to_pad08():
    longer = MASK[:, 1:] | MASK[:, :-1]
    assert silent("SHF05", answers(longer))
    assert finding("PAD08", answers(longer)).cells.sum() == 3


def test_shf05_leaves_a_lost_end_to_pad05_where_prompts_have_no_common_end():
    mixed = np.where((TOKENS == 2) & (np.arange(3)[:, None] > 0), 7 - np.arange(3)[:, None], TOKENS)
    assert silent("SHF05", answers(np.pad(MASK[:, 2:], ((0, 0), (0, 1))), mixed))


def test_shf05_is_silent_of_the_mask_of_answers():
    assert silent("SHF05", answers(MASK[:, 1:]))


def test_shf05_can_not_tell_a_late_mask_where_the_pad_id_may_be_the_end():
    mixed = np.where((TOKENS == 2) & (np.arange(3)[:, None] > 0), 7 - np.arange(3)[:, None], TOKENS)
    assert reason("SHF05", answers(MASK[:, :-1], mixed, eos_id=None)) == (
        "The pad id 0 that counts may be the end of the sequence. Declare `eos_id`."
    )
