"""SHF03: the inputs are the targets rolled round."""

import numpy as np
import pytest

from lossviz import Batch
from tests.rules.asking import finding, good, places, reason, sample, silent


def rolled(targets, first=None, **more):
    targets = np.array(targets)
    inputs = np.roll(targets, 1, axis=1)
    if first is not None:
        inputs[:, 0] = first
    logits = np.zeros((*targets.shape, 9))
    return Batch.from_arrays(**{"logits": logits, "targets": targets, "inputs": inputs, "pad_id": 0, **more})


def test_shf03_can_not_tell_the_example_of_the_catalogue_from_t5():
    batch = rolled([[5, 6, 1, 0]], lengths=[3])
    assert batch.inputs.tolist() == [[0, 5, 6, 1]]
    assert reason("SHF03", batch) == (
        "Every sequence starts with the pad id, as in T5 on purpose, or after `np.roll` if all are padded: one "
        "sequence without padding would tell them apart."
    )


def test_shf03_finds_the_example_beside_a_sequence_without_padding():
    found = finding("SHF03", rolled([[5, 6, 1, 0], [7, 8, 6, 1]], lengths=[3, 4]))
    assert found.severity == "error"
    assert found.message == (
        "The inputs are the targets rolled by one: 1 sequence starts with the last target and 1 sequence starts with "
        "the pad id 0."
    )
    assert places(found.cells) == [(0, 0), (1, 0)]
    assert found.evidence == {"start with their last target": 1, "start with the pad id": 1}
    assert (found.repaired, found.loss_if_fixed) == (None, None)


def test_shf03_is_silent_for_start_tokens():
    targets = [[5, 6, 1, 0], [7, 8, 6, 1]]
    assert silent("SHF03", rolled(targets, first=2))
    assert silent("SHF03", rolled(targets, first=0))  # T5
    assert silent("SHF03", good())


def test_shf03_is_an_info_where_all_start_with_one_token():
    targets = [[5, 6, 1, 8], [7, 1, 8, 0]]  # a language id, as mBART has it
    batch = rolled(targets, first=8, vocabulary=["<pad>", "</s>", *"abcdef", "en"])
    found = finding("SHF03", batch)
    assert found.severity == "info"
    assert found.message == "All 2 sequences start with “en”, their last target, as in (m)BART, where this is intended."


def test_shf03_is_an_info_where_all_start_with_their_own_last_target():
    found = finding("SHF03", rolled([[5, 6, 1, 8], [7, 1, 8, 4]]))
    assert found.severity == "info"
    assert found.message == (
        "All 2 sequences start with their own last target (2 different tokens): the model sees what it should predict "
        "last, as after `np.roll`, or on purpose as in (m)BART."
    )
    assert found.evidence == {"sequences": 2, "different first inputs": 2}


def test_shf03_can_not_tell_from_one_sequence():
    assert reason("SHF03", rolled([[5, 6, 1, 8]])) == (
        "The only sequence starts with its own last target, which may be chance."
    )


@pytest.mark.parametrize("ignore_id", [None, -100])
def test_shf03_says_how_to_put_a_start_token(ignore_id):
    found = finding("SHF03", rolled([[5, 6, 1, 0], [7, 8, 6, 1]], ignore_id=ignore_id))
    read = "where(inputs != -100, inputs, 0)"
    tensorflow, pytorch, jax = (f"\ninputs = {name}.{read}" if ignore_id else "" for name in ("tf", "torch", "jnp"))
    assert found.fix == {
        "TensorFlow": "inputs = tf.pad(targets[:, :-1], [[0, 0], [1, 0]], constant_values=go_id)" + tensorflow,
        "PyTorch": "inputs = F.pad(targets[:, :-1], (1, 0), value=go_id)" + pytorch,
        "JAX": "inputs = jnp.pad(targets[:, :-1], ((0, 0), (1, 0)), constant_values=go_id)" + jax,
    }


def test_shf03_is_silent_where_inputs_are_no_shifted_targets():
    assert silent("SHF03", good(inputs=good().targets))
    assert silent("SHF03", Batch.from_arrays(logits=np.zeros((2, 1, 3)), targets=[[1], [2]], inputs=[[1], [2]]))
    assert silent("SHF03", rolled([[0, 0, 0], [0, 0, 0]]))


def test_shf03_sample_shows_the_first_timestep_of_every_sequence():
    assert places(finding("SHF03", sample("SHF03")).cells) == [(0, 0), (1, 0), (2, 0)]
