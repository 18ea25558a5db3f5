"""SHF07: sequences without an end."""

import numpy as np
import pytest

from lossviz import Batch
from tests.rules.asking import finding, good, losses, places, reason, sample, silent


def rows(targets, lengths, **more):
    logits = np.random.default_rng(2).normal(size=(*np.shape(targets), 9))
    fields = {"logits": logits, "targets": targets, "lengths": lengths, "pad_id": 0, "eos_id": 1}
    return Batch.from_arrays(**{k: v for k, v in {**fields, **more}.items() if v is not None})


def test_shf07_says_of_the_example_of_the_catalogue_that_it_was_cut():
    found = finding("SHF07", rows([[5, 6, 7, 8]], [4]))
    assert found.severity == "info"
    assert found.message == "1 sequence has no end “1”: truncated, or chunks of a longer text."
    assert places(found.cells) == [(0, 3)]
    assert found.evidence == {
        "padded sequences without an end": 0,
        "padded sequences": 0,
        "other sequences without an end": 1,
    }
    assert found.repaired is None


def test_shf07_finds_padded_sequences_without_an_end():
    batch = rows([[5, 6, 0, 0], [7, 8, 6, 0], [4, 5, 6, 7]], [2, 3, 4], vocabulary=["<pad>", "</s>", *"abcdefg"])
    found = finding("SHF07", batch)
    assert found.severity == "error"
    assert found.message == (
        "2 of 2 padded sequences have no end “</s>” among the targets: a model trained on them does not learn to stop."
    )
    assert places(found.cells) == [(0, 1), (1, 2)]
    assert found.evidence == {
        "padded sequences without an end": 2,
        "padded sequences": 2,
        "other sequences without an end": 1,
    }
    assert "row[:3] + [1]" in found.fix["TensorFlow"]


def test_shf07_puts_the_end_after_each_padded_sequence():
    batch = rows([[5, 6, 0, 0], [7, 8, 6, 0], [4, 5, 6, 7]], [2, 3, 4])
    found = finding("SHF07", batch)
    ended = [[5, 6, 1, 0], [7, 8, 6, 1], [4, 5, 6, 7]]
    assert found.repaired.targets.tolist() == ended
    assert found.repaired.lengths.tolist() == [3, 4, 4]
    counts = np.arange(4) < np.array([[3], [4], [4]])
    assert found.loss_if_fixed == pytest.approx(losses(batch, ended)[counts].mean())
    assert finding("SHF07", found.repaired).severity == "info"  # the one that was cut


def test_shf07_finds_one_padded_sequence_beside_others_that_end():
    found = finding("SHF07", rows([[5, 6, 0, 0], [7, 8, 1, 0]], [2, 3]))
    assert found.message == (
        "1 of 2 padded sequences has no end “1” among the targets: a model trained on them does not learn to stop."
    )
    assert places(found.cells) == [(0, 1)]


def test_shf07_finds_short_sequences_by_their_lengths_where_no_pad_id_is_known():
    batch = rows([[5, 6, 0, 0], [7, 8, 6, 0]], [2, 3], pad_id=None)
    found = finding("SHF07", batch)
    assert (found.severity, found.repaired) == ("error", None)


def test_shf07_is_an_info_for_one_open_sequence_where_none_ends():
    assert finding("SHF07", rows([[5, 6, 0, 0], [4, 5, 6, 7]], [2, 4])).severity == "info"


def test_shf07_is_silent_where_every_sequence_holds_its_end():
    assert silent("SHF07", rows([[5, 6, 1, 0], [7, 8, 6, 1]], [3, 4]))
    assert silent("SHF07", rows([[5, 6, 1, 0], [7, 8, 6, 1]], [2, 3]))  # there, but not counted: that is PAD05
    assert silent("SHF07", rows([[0, 0, 0, 0], [7, 8, 6, 1]], [0, 4]))
    assert silent("SHF07", good())


def test_shf07_can_not_tell_where_the_pad_id_is_the_end():
    assert reason("SHF07", rows([[5, 6, 0, 0]], [2], eos_id=0)) == (
        "The pad id 0 is also the end of sequence, so every padded sequence contains it."
    )


def test_shf07_can_not_tell_where_the_targets_are_the_inputs():
    tokens = [[5, 6, 7, 0], [7, 8, 6, 0]]
    assert reason("SHF07", rows(tokens, [3, 3], inputs=tokens)) == (
        "The targets equal the inputs, so their last token is cut off."
    )


def test_shf07_needs_an_end_of_sequence():
    assert reason("SHF07", rows([[5, 6, 0, 0]], [2], eos_id=None)) == (
        "Needs `eos_id`, which this batch does not have."
    )


def test_shf07_sample_shows_its_cells():
    assert places(finding("SHF07", sample("SHF07")).cells) == [(0, 2), (2, 3)]


def test_shf07_can_not_tell_from_a_mask_with_holes():
    tokens = [[5, 6, 7, 8], [7, 8, 6, 5]]
    batch = rows(tokens, None, pad_id=None, weights=[[1, 0, 1, 0], [0, 1, 1, 0]])
    assert reason("SHF07", batch) == (
        "The mask has holes, so the last timestep that counts need not be the end of its sequence."
    )


def test_shf07_finds_the_end_by_what_the_model_reads():
    labels = [[5, 6, -100, -100, -100], [7, 8, 6, -100, -100]]
    reads_on = rows(labels, None, ignore_id=-100, inputs=[[4, 5, 6, 7, 8], [4, 7, 8, 6, 5]])
    assert finding("SHF07", reads_on).message == "2 sequences have no end “1”: truncated, or chunks of a longer text."
    reads_padding = reads_on.replace(inputs=[[4, 5, 6, 0, 0], [4, 7, 8, 6, 0]])
    assert finding("SHF07", reads_padding).severity == "error"
    assert silent("SHF07", reads_on.replace(inputs=[[4, 5, 6, 1, 0], [4, 7, 8, 6, 1]]))  # hidden, not missing
