"""What a Batch admits and keeps: arrays of every library, wrong content, the number as printed."""

import dataclasses

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
import torch

from lossviz import Batch
from lossviz.errors import InputError

LOGITS = np.zeros((2, 3, 4))
TARGETS = [[1, 2, 3], [3, 0, 0]]


def make(**changes):
    return Batch.from_arrays(**{"logits": LOGITS, "targets": TARGETS, **changes})


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"])
def test_batch_takes_ids_of_any_integer_dtype(dtype):
    batch = make(targets=np.array(TARGETS, dtype))
    assert batch.targets.dtype == np.int64
    assert batch.targets.tolist() == TARGETS


@pytest.mark.parametrize("label", [-100, -1, 4, 2**32, 2**63 - 1, -(2**63)])
def test_batch_admits_any_label(label):
    assert make(targets=[[1, 2, label], [3, 0, 0]]).targets[0, 2] == label


@pytest.mark.parametrize("dtype", [bool, "uint8", "int64", "float16", "float32", "float64", ml_dtypes.bfloat16])
def test_batch_takes_weights_of_any_dtype(dtype):
    batch = make(weights=np.array([[1, 1, 1], [1, 0, 0]], dtype))
    assert batch.weights.dtype == np.float64
    assert batch.weights.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_batch_admits_odd_weights():
    odd = [[-1, 254, 255], [0.5, 1e6, 0]]
    assert make(weights=odd).weights.tolist() == odd


@pytest.mark.parametrize("lengths", [[0, 3], [-1, 8], [2**40, -(2**40)]])
def test_batch_admits_any_whole_length(lengths):
    batch = make(lengths=lengths)
    assert batch.lengths.dtype == np.int64
    assert batch.lengths.tolist() == lengths


def test_batch_keeps_fractional_and_boundless_lengths_as_they_are():
    assert make(lengths=[2.7, 1]).lengths.tolist() == [2.7, 1.0]
    assert make(lengths=[1e300, 1]).lengths.tolist() == [1e300, 1.0]
    assert make(lengths=np.array([3, 2], np.float32)).lengths.dtype == np.int64
    assert make(lengths=np.array([3, 2], ml_dtypes.bfloat16)).lengths.tolist() == [3, 2]


@pytest.mark.parametrize("vocabulary", [("a", "a", "", "b"), np.array(["a", "a", "", "b"]), iter(["a", "a", "", "b"])])
def test_batch_takes_a_vocabulary_with_duplicates(vocabulary):
    batch = make(vocabulary=vocabulary)
    assert batch.vocabulary == ("a", "a", "", "b")
    assert {type(token) for token in batch.vocabulary} == {str}


def test_batch_names_a_class_by_its_word_or_its_id():
    batch = make(vocabulary=["<pad>", "a", "b", "<script>"])
    assert [batch.token(v) for v in (0, 3, -1, 4, 2**32)] == ["<pad>", "<script>", "-1", "4", "4294967296"]
    assert make().token(2) == "2"


def test_batch_names_an_input_by_its_own_words_or_those_of_the_classes():
    batch = make(vocabulary=list("abcd"))
    assert [batch.input_token(v) for v in (0, 3, -1, 4)] == ["a", "d", "-1", "4"]
    batch = batch.replace(input_vocabulary=("<pad>", "tea"))
    assert [batch.input_token(v) for v in (0, 1, -1, 2)] == ["<pad>", "tea", "-1", "2"]
    assert (batch.token(1), batch.input_vocabulary) == ("b", ("<pad>", "tea"))
    assert make().input_token(2) == "2"


@pytest.mark.parametrize("name", ["pad_id", "eos_id", "ignore_id"])
def test_batch_ids_are_integers(name):
    taken = [0, -100, np.int32(3), torch.tensor(2), tf.constant(1)]
    assert [getattr(make(**{name: value}), name) for value in taken] == [0, -100, 3, 2, 1]


@pytest.mark.parametrize(
    ("reported", "kept"),
    [
        ("1.2545", "1.2545"),
        (" 1.25 ", "1.25"),
        ("1.2500", "1.2500"),
        (1.2545, "1.2545"),
        (3, "3"),
        (np.float32(1.2545), "1.2545"),
        (np.array([1.5]), "1.5"),
        (tf.constant(1.2545), "1.2545"),
        (torch.tensor(1.25, requires_grad=True), "1.25"),
        ("nan", "nan"),
    ],
)
def test_batch_keeps_the_reported_number_as_printed(reported, kept):
    assert make(reported=reported).reported == kept


@pytest.mark.parametrize("shape", [(0, 3, 4), (2, 0, 4), (0, 0, 4)])
def test_batch_may_be_empty(shape):
    for targets, weights in (([], []), (np.zeros(shape[:2], int), np.zeros(shape[:2]))):
        batch = make(logits=np.zeros(shape), targets=targets, weights=weights, inputs=targets, lengths=[0] * shape[0])
        assert batch.shape == shape
        assert batch.targets.shape == batch.weights.shape == batch.inputs.shape == shape[:2]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", ml_dtypes.bfloat16])
def test_batch_keeps_the_dtype_of_the_logits_without_a_copy(dtype):
    logits = np.zeros((2, 3, 4), dtype)
    assert make(logits=logits).logits is logits


def test_batch_takes_tensors_of_pytorch_and_tensorflow():
    batch = make(
        logits=torch.zeros(2, 3, 4, requires_grad=True, dtype=torch.bfloat16),
        targets=tf.constant(TARGETS, tf.int32),
        lengths=torch.tensor([3, 1]),
        weights=tf.constant([[True, True, True], [True, False, False]]),
    )
    assert repr(batch) == "Batch(B=2 sequences, T=3 timesteps, V=4 classes, logits bfloat16, mask from weights)"
    assert batch.targets.tolist() == TARGETS
    assert batch.lengths.tolist() == [3, 1]


@pytest.mark.parametrize(
    ("given", "declared"),
    [
        ({}, "none"),
        ({"pad_id": 0}, "nonpad"),
        ({"pad_id": 0, "ignore_id": -100}, "ignore_id"),
        ({"pad_id": 0, "ignore_id": -100, "lengths": [3, 1]}, "lengths"),
        ({"pad_id": 0, "ignore_id": -100, "lengths": [3, 1], "weights": np.ones((2, 3))}, "weights"),
    ],
)
def test_batch_declares_its_mask(given, declared):
    assert make(**given).declared_mask == declared


def test_batch_can_not_be_changed_behind_its_back():
    targets, weights = np.array(TARGETS), np.ones((2, 3))
    batch = make(targets=targets, weights=weights)
    targets[0, 0] = weights[0, 0] = 7
    assert (batch.targets[0, 0], batch.weights[0, 0]) == (1, 1)
    with pytest.raises(ValueError, match="assignment destination is read-only"):
        batch.targets[0, 0] = 7
    with pytest.raises(dataclasses.FrozenInstanceError):
        batch.title = "other"


def test_batch_replace_validates_again():
    batch = make(lengths=[3, 1], title="before")
    assert batch.replace(lengths=None, title="after").fields().keys() == {"logits", "targets", "title"}
    with pytest.raises(InputError, match=r"^`lengths` must have shape \(2,\), one per sequence"):
        batch.replace(lengths=[3])


def test_batch_fields_are_the_arguments_that_make_it():
    batch = make(lengths=[3, 1], pad_id=0, vocabulary=list("abcd"), reported="1.25", title="t")
    again = Batch.from_arrays(**batch.fields())
    assert batch.fields().keys() == {"logits", "targets", "lengths", "pad_id", "vocabulary", "reported", "title"}
    assert all(np.array_equal(value, again.fields()[name]) for name, value in batch.fields().items())
    assert {field.name for field in dataclasses.fields(Batch)} == {*Batch.FIELDS, "assumptions"}


def test_batch_shows_itself_in_a_notebook_with_hostile_text_escaped():
    html = make(title="<script>alert(1)</script>", lengths=[3, 1], vocabulary=list("abcd"))._repr_html_()
    assert "<script>" not in html
    assert "<tr><th>lengths</th><td>int64 (2,)</td></tr>" in html
    assert "<tr><th>vocabulary</th><td>4 tokens</td></tr>" in html
