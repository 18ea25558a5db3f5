import re

import jax.numpy as jnp
import numpy as np
import pytest
import tensorflow as tf

from lossviz.errors import InputError
from lossviz.testing import assert_batch_invariant
from tests.golden import golden_batch
from tests.testing import losses


def message(function, **named):
    with pytest.raises(AssertionError) as caught:
        assert_batch_invariant(function, **named)
    return str(caught.value)


def np_rows(logits, targets, weights):
    return (losses.np_losses(logits, targets) * weights).sum(axis=1) / weights.sum(axis=1)


def tf_rows(logits, targets, weights):
    return tf.reduce_sum(losses.tf_losses(logits, targets) * weights, 1) / tf.reduce_sum(weights, 1)


def torch_rows(logits, targets, weights):
    return (losses.torch_losses(logits, targets) * weights).sum(1) / weights.sum(1)


def jax_rows(logits, targets, weights):
    return (losses.jax_losses(logits, targets) * weights).sum(1) / weights.sum(1)


@pytest.mark.parametrize(
    ("function", "framework"),
    [
        (losses.np_right, None),
        (losses.jax_right, None),
        (jax_rows, "jax"),
        (losses.np_mean, None),
        (losses.tf_right, None),
        (losses.keras_over_all_positions, None),
        (losses.torch_right, "pytorch"),
        (np_rows, "numpy"),
        (tf_rows, "tensorflow"),
        (torch_rows, "pytorch"),
        (lambda *arrays: losses.np_losses(*arrays[:2]), None),
    ],
)
def test_rows_losses_that_add_up_over_sequences_pass(function, framework):
    assert_batch_invariant(function, framework=framework)


RED06 = (
    "The loss of sequence 2 is 2.3000 alone and 0.4182 in the batch; the tolerance is 1e-05. Likely RED06: each "
    "sequence is divided by what counts in the whole batch; divide it by its own timesteps."
)


def test_rows_divided_by_the_whole_batch_are_red06():
    def np_wrong(logits, targets, weights):
        return (losses.np_losses(logits, targets) * weights).sum(axis=1) / weights.sum()

    def tf_wrong(logits, targets, weights):
        return tf.reduce_sum(losses.tf_losses(logits, targets) * weights, 1) / tf.reduce_sum(weights)

    def torch_wrong(logits, targets, weights):
        return (losses.torch_losses(logits, targets) * weights).sum(1) / weights.sum()

    def jax_wrong(logits, targets, weights):
        return (losses.jax_losses(logits, targets) * weights).sum(1) / weights.sum()

    assert message(np_wrong) == RED06
    assert message(jax_wrong) == RED06
    assert message(tf_wrong) == RED06
    assert message(torch_wrong, framework="pytorch") == RED06


def test_rows_normalised_over_the_batch_are_told_alone_from_in_the_batch():
    def centred(logits, targets, weights):
        return losses.np_losses(logits - logits.mean(axis=0), targets) * weights

    assert message(lambda *arrays: centred(*arrays).sum(axis=1)) == (
        "The loss of sequence 1 is 7.1670 alone and 2.8687 in the batch; the tolerance is 1e-05. "
        "Likely a sum, a mean or a softmax over axis 0, the sequences."
    )
    assert message(centred) == (
        "The loss of sequence 0, timestep 4 is 1.7918 alone and 0.2717 in the batch; the tolerance is 1e-05. "
        "Likely a sum, a mean or a softmax over axis 0, the sequences."
    )


GRADIENT = (
    "when the logits and targets of the other sequences change; the tolerance is 1e-05 of the largest. Likely the loss "
    "is not a sum over sequences: a softmax or a norm over axis 0, or the exponential of a mean."
)


def test_rows_perplexity_is_told_by_its_gradient():
    def perplexity(logits, targets, weights):
        return tf.exp(losses.tf_right(logits, targets, weights))

    def jax_perplexity(logits, targets, weights):
        return jnp.exp(losses.jax_right(logits, targets, weights))

    for function in (perplexity, jax_perplexity):
        assert message(function) == (
            "The gradient of sequence 0 changes by up to 0.1803 at sequence 0, timestep 0, and 4 more timesteps "
            + GRADIENT
        )


def test_rows_softmax_over_the_wrong_axis_is_told_by_its_gradient():
    def over_sequences(logits, targets, weights):
        scores = logits.log_softmax(0).gather(2, targets[..., None])[..., 0]
        return -(scores * weights).sum() / weights.sum()

    assert message(over_sequences, framework="pytorch") == (
        f"The gradient of sequence 0 changes by up to 0.0663 at sequence 0, timestep 0, and 4 more timesteps {GRADIENT}"
    )


def test_rows_result_of_another_shape_is_refused_and_red07_named():
    def broadcast(logits, targets, weights):
        return (losses.np_losses(logits, targets) * weights).sum(axis=1) / weights.sum(axis=1)[:, None]

    text = (
        "`loss_fn` must return one number, [B] = (3,) or [B, T] = (3, 5); got shape (3, 3). If [B] was divided by [B, "
        "1], or [B·T] multiplied by [B·T, 1], this is RED07."
    )
    with pytest.raises(InputError, match=f"^{re.escape(text)}$"):
        assert_batch_invariant(broadcast)


def test_rows_a_batch_of_one_has_no_neighbours():
    one = golden_batch(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[2])
    with pytest.raises(
        InputError, match=r"^`batch` must have at least two sequences; got one, which has no neighbours\.$"
    ):
        assert_batch_invariant(losses.np_right, one)
