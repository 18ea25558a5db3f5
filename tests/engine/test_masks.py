import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from lossviz.engine import sequence_mask
from lossviz.errors import InputError


def test_sequence_mask_marks_the_first_timesteps_of_each_row():
    expected = [[True, True, True, False], [True, True, True, True], [True, True, False, False]]
    assert expected == sequence_mask([3, 4, 2]).numpy().tolist()


def test_sequence_mask_is_as_wide_as_maxlen():
    assert sequence_mask(np.array([2], np.uint8), 5, dtype=tf.int32).numpy().tolist() == [[1, 1, 0, 0, 0]]


@given(st.lists(st.integers(0, 9), max_size=6), st.sampled_from(["int8", "uint16", "int32", "int64", "uint64"]))
def test_sequence_mask_is_that_of_tensorflow_for_lengths_that_are_possible(lengths, dtype):
    expected = tf.sequence_mask(np.array(lengths, "int64"), 9)
    assert expected.numpy().tolist() == sequence_mask(np.array(lengths, dtype), 9).numpy().tolist()


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 1, 3), (0,), (2, 0)])
def test_sequence_mask_adds_one_axis_to_any_rank(shape):
    assert (*shape, 4) == tuple(sequence_mask(np.full(shape, 2), 4).shape)


def test_sequence_mask_of_no_lengths_is_empty():
    assert tuple(sequence_mask(np.zeros(0, int)).shape) == (0, 0)


@pytest.mark.parametrize(
    ("lengths", "maxlen", "message"),
    [
        (
            [3, -1],
            4,
            (
                "`lengths` must lie between 0 and 4, the number of timesteps; `lengths[1]` is -1. Fix it, or "
                "clip: `np.clip(lengths, 0, maxlen)`."
            ),
        ),
        (
            [[1, 2], [9, 0]],
            4,
            (
                "`lengths` must lie between 0 and 4, the number of timesteps; `lengths[1, 0]` is 9. Fix "
                "it, or clip: `np.clip(lengths, 0, maxlen)`."
            ),
        ),
        (
            5,
            4,
            (
                "`lengths` must lie between 0 and 4, the number of timesteps; `lengths` is 5. Fix it, or "
                "clip: `np.clip(lengths, 0, maxlen)`."
            ),
        ),
        ([2.7], 4, "`lengths` must hold integers; got float64. Pass `lengths.astype('int64')`."),
        ([1], -1, "`maxlen` must be 0 or more; got -1."),
        ([1], [4], "`maxlen` must be one integer; got shape (1,)."),
    ],
)
def test_sequence_mask_refuses_impossible_lengths(lengths, maxlen, message):
    with pytest.raises(InputError) as error:
        sequence_mask(lengths, maxlen)
    assert message == str(error.value)


@pytest.mark.parametrize("jit", [False, True])
def test_sequence_mask_works_inside_tf_function(jit):
    mask = tf.function(lambda lengths: sequence_mask(lengths, 3), jit_compile=jit)
    assert mask(tf.constant([1])).numpy().tolist() == [[True, False, False]]


def test_sequence_mask_finds_its_width_inside_tf_function():
    mask = tf.function(sequence_mask, input_signature=[tf.TensorSpec([None], tf.int32)])
    assert mask(tf.constant([1, 2])).numpy().tolist() == [[True, False], [True, True]]


def test_sequence_mask_asserts_inside_tf_function():
    mask = tf.function(lambda lengths: sequence_mask(lengths, 3))
    with pytest.raises(tf.errors.InvalidArgumentError, match="`lengths` must lie between 0 and `maxlen`"):
        mask(tf.constant([4]))
