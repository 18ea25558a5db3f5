"""PAD13: labels that are no class."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch, Settings
from tests.rules.pad_cases import PASSED, batch_of, cells_of, codes_of, finding_of, outcome_of


@pytest.mark.parametrize("label", [-100, 4])
def test_pad13_libraries_raise_or_give_nan(label):
    logits = tf.zeros((2, 4))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits
    with pytest.raises(tf.errors.InvalidArgumentError):
        loss(labels=[1, label], logits=logits)
    compiled = tf.function(lambda labels: loss(labels=labels, logits=logits), jit_compile=True)
    assert np.isnan(compiled(tf.constant([1, label])).numpy()).tolist() == [False, True]
    with pytest.raises(IndexError):
        torch.nn.functional.cross_entropy(torch.zeros(2, 4), torch.tensor([1, label]), ignore_index=-7)


@pytest.mark.parametrize(
    ("targets", "fields", "message"),
    [
        ([[1, 2, 4]], {}, "1 label that counts is outside the classes 0 to 3: 4. The labels start at 1."),
        (
            [[1, 4, 0]],
            {"pad_id": 0, "lengths": [2]},
            (
                "1 label that counts is outside the classes 0 to 3: 4. The vocabulary lacks one class, often the one "
                "for padding."
            ),
        ),
        ([[0, 7, 4]], {}, "2 labels that count are outside the classes 0 to 3: 4 to 7."),
        ([[0, -7, 3]], {}, "1 label that counts is outside the classes 0 to 3: -7."),
    ],
    ids=["from 1", "one class short", "several", "negative"],
)
def test_pad13_names_the_labels_that_count(targets, fields, message):
    batch = batch_of(targets, classes=4, **fields)
    finding = finding_of("PAD13", batch)
    assert (finding.severity, finding.message, finding.repaired) == ("error", message, None)
    bad = (np.array(targets) > 3) | (np.array(targets) < 0)
    assert finding.cells.tolist() == bad.tolist()
    assert finding.evidence["labels"] == bad.sum()
    assert codes_of(batch) == ["PAD13"]


def test_pad13_a_wider_head_has_room_for_the_label():
    fix = finding_of("PAD13", batch_of([[1, 2, 9]], classes=4)).fix
    assert "Dense(10)" in fix["TensorFlow"]
    assert "Linear(hidden.shape[-1], 10)" in fix["PyTorch"]


@pytest.mark.parametrize("label", [-100, 4])
def test_pad13_under_the_mask_is_an_info(label):
    batch = batch_of([[1, 2, label]], classes=4, lengths=[2])
    finding = finding_of("PAD13", batch)
    assert finding.severity == "info"
    assert finding.message == (
        f"1 label under the mask is out of range ({label}): TensorFlow computes its loss anyway, and NaN × 0 is NaN."
    )
    assert finding.cells.tolist() == cells_of(batch, (0, 2))
    assert finding.repaired.targets.tolist() == [[1, 2, 0]]
    assert finding.loss_if_fixed == pytest.approx(np.log(4))
    assert finding.effect == pytest.approx(0)


def test_pad13_names_at_most_four_values_under_the_mask():
    batch = batch_of([[1, 9, 8, 7, 6, 5]], classes=4, lengths=[1])
    assert finding_of("PAD13", batch).message.startswith("5 labels under the mask are out of range (5, 6, 7, 8 …): ")


@pytest.mark.parametrize(
    "batch",
    [
        batch_of([[1, 2, -100]], classes=4, ignore_id=-100),
        batch_of([[1, 2, 255]], classes=4, ignore_id=255, weights=[[1, 1, 0]]),
        batch_of([[0, 3]], classes=4),
    ],
    ids=["ignored", "ignored under weights", "classes"],
)
def test_pad13_is_silent_where_labels_are_classes_or_ignored(batch):
    assert outcome_of("PAD13", batch) == PASSED


def test_pad13_a_classifier_with_one_logit_has_two_classes():
    batch = Batch.from_arrays(logits=np.zeros((1, 3, 1)), targets=[[0, 1, 1]])
    assert outcome_of("PAD13", batch, Settings(reduction="classification")) == PASSED
    assert outcome_of("PAD13", batch, Settings(reduction="mean"))[0] == "skipped"


def test_pad13_leaves_ignore_ids_that_count_to_pad12():
    assert codes_of(batch_of([[1, -100, 2]], classes=4)) == ["PAD12"]


def test_pad13_keeps_a_mask_that_was_read_off_the_labels():
    batch = batch_of([[1, 2, 9], [3, 9, 9]], pad_id=9)
    repaired = finding_of("PAD13", batch).repaired
    assert (repaired.targets.tolist(), repaired.weights.tolist()) == ([[1, 2, 0], [3, 0, 0]], [[1, 1, 0], [1, 0, 0]])
