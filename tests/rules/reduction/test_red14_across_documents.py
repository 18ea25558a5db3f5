"""RED14: targets that cross into the next document."""

import numpy as np
import pytest

from lossviz import Batch
from tests.rules.asking import finding, good, losses, places, reason, sample, silent

A, B, C = 6, 7, 8


def tiny(**more):
    """The catalogue's: tokens [0, 1, 2, A, B, C] in two documents, shifted once, no mask at the border."""
    tokens = np.array([[0, 1, 2, A, B, C]])
    fields = {
        "logits": np.random.default_rng(0).normal(size=(1, 5, 9)),
        "targets": tokens[:, 1:],
        "inputs": tokens[:, :-1],
        "segment_ids": [[0, 0, 0, 1, 1]],
    }
    return Batch.from_arrays(**{k: v for k, v in {**fields, **more}.items() if v is not None})


def test_red14_finds_the_example_of_the_catalogue():
    batch = tiny()
    found = finding("RED14", batch)
    loss = losses(batch)
    assert found.severity == "warning"
    assert found.message == (
        "1 timestep that counts must predict the first token of the next document, at a mean loss of "
        f"{loss[0, 2]:.4g} nats."
    )
    assert places(found.cells) == [(0, 2)]
    assert found.evidence == {"timesteps": 1, "rows": 1, "mean loss there": pytest.approx(loss[0, 2])}


def test_red14_gives_the_border_no_weight():
    batch = tiny()
    found = finding("RED14", batch)
    assert found.repaired.weights.tolist() == [[1, 1, 0, 1, 1]]  # the labels of [1, 2, −100, B, C]
    assert found.loss_if_fixed == pytest.approx(np.delete(losses(batch)[0], 2).mean())
    assert silent("RED14", found.repaired)


def test_red14_is_silent_where_the_border_does_not_count():
    assert silent("RED14", tiny(weights=[[1, 1, 0, 1, 1]]))
    ignored = tiny(targets=[[1, 2, -100, B, C]], ignore_id=-100)
    assert silent("RED14", ignored)
    assert silent("RED14", tiny(lengths=[3]))


def test_red14_is_silent_where_each_document_has_its_own_end():
    """Documents shifted before they are packed: the target at the border is the end of the first."""
    batch = tiny(inputs=[[3, 4, 5, 3, 6]], targets=[[4, 5, 1, 6, 1]])
    assert silent("RED14", batch)
    assert silent("RED14", batch.replace(inputs=None, eos_id=1))


def test_red14_uses_the_end_of_sequence_where_inputs_are_unknown():
    found = finding("RED14", tiny(inputs=None, eos_id=5))
    assert places(found.cells) == [(0, 2)]


def test_red14_can_not_tell_without_inputs_or_an_end():
    assert reason("RED14", tiny(inputs=None)) == (
        "Only `inputs` or `eos_id` can tell whether targets at the end of a document cross into the next."
    )


def test_red14_is_an_info_without_segment_ids():
    batch = tiny(segment_ids=None, eos_id=2, inputs=None, pad_id=0)
    found = finding("RED14", batch)
    assert found.severity == "info"
    assert found.message == (
        "1 timestep that counts must predict the first token after an end of sequence, at a mean loss of "
        f"{losses(batch)[0, 2]:.4g} nats."
    )
    assert places(found.cells) == [(0, 2)]


def test_red14_is_silent_for_rows_of_one_sequence():
    assert silent("RED14", good())
    assert silent("RED14", tiny(segment_ids=None))
    assert silent("RED14", tiny(segment_ids=[[4, 4, 4, 4, 4]]))
    assert silent("RED14", tiny(segment_ids=None, eos_id=2, pad_id=2))
    turns = tiny(segment_ids=None, eos_id=2, weights=[[1, 1, 0, 0, 1]])  # what follows the end is a question
    assert silent("RED14", turns)


def test_red14_sample_shows_both_borders():
    assert places(finding("RED14", sample("RED14")).cells) == [(0, 3), (1, 2)]
