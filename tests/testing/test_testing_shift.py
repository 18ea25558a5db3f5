"""Losses that shift inside: `logits[:, :-1]` against `targets[:, 1:]`, as the models of Hugging Face do."""

import numpy as np
import pytest
import tensorflow as tf
import torch.nn.functional as F  # noqa: N812

from lossviz import Batch
from lossviz.testing import (
    assert_accumulation_invariant,
    assert_batch_invariant,
    assert_convention,
    assert_no_gradient_on_padding,
    assert_padding_invariant,
)

FINITE = ("columns", "targets", "logits", "ignore_id", "out_of_range")
SHIFTED_TWICE = (
    "Likely SHF02: the loss compares each timestep's logits with the next target, as the models of Hugging Face do, "
    "but these targets are already shifted; pass `shift=True` to hand it unshifted ones."
)


def hugging_face(logits, targets, weights):
    """The loss of `transformers` (`ForCausalLMLoss`): labels are -100 where nothing is to be learned."""
    labels = targets.masked_fill(weights == 0, -100)
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), labels[:, 1:])


def per_timestep(logits, targets, weights):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), targets[:, 1:], reduction="none") * weights[:, 1:]


def without_mask(logits, targets, weights):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), targets[:, 1:])


def mask_of_the_inputs(logits, targets, weights):
    losses = F.cross_entropy(logits[:, :-1].transpose(1, 2), targets[:, 1:], reduction="none")
    return (losses * weights[:, :-1]).sum() / weights[:, :-1].sum()


def tensorflow(logits, targets, weights):
    real = weights[:, 1:] > 0
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        labels=tf.where(real, targets[:, 1:], 0), logits=tf.where(real[..., None], logits[:, :-1], 0.0)
    )
    return tf.reduce_sum(losses * weights[:, 1:]) / tf.reduce_sum(weights[:, 1:])


@pytest.fixture
def prompts():
    """Two answers after prompts of one and two tokens: the weights begin with 0."""
    logits = np.random.default_rng(0).normal(size=(2, 6, 5))
    targets = np.random.default_rng(1).integers(1, 5, (2, 6))
    return Batch.from_arrays(logits=logits, targets=targets, weights=[[0, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0]])


def test_shift_right_losses_pass_every_assertion(prompts):
    for batch in (None, prompts):
        assert_padding_invariant(hugging_face, batch, framework="pytorch", shift=True, changes=FINITE)
        assert_no_gradient_on_padding(hugging_face, batch, framework="pytorch", shift=True)
        assert_batch_invariant(per_timestep, batch, framework="pytorch", shift=True)
        assert_padding_invariant(tensorflow, batch, shift=True)


def test_shift_gives_the_number_of_the_aligned_loss():
    assert_convention(hugging_face, None, "C03", framework="pytorch", shift=True)


def test_shift_reaches_micro_batches():
    with pytest.raises(AssertionError, match=r"^2 micro-batches \(sequences 0 to 1; sequence 2\) give 1\.6611 and "):
        assert_accumulation_invariant(hugging_face, framework="pytorch", shift=True, splits=[2])


def test_shift_inside_without_saying_so_is_told_where_weights_begin_with_zero(prompts):
    with pytest.raises(AssertionError) as caught:
        assert_padding_invariant(hugging_face, prompts, framework="pytorch")
    assert str(caught.value).endswith(f"and 1 more timestep; it must be 0. {SHIFTED_TWICE}")


@pytest.mark.parametrize("loss", [without_mask, mask_of_the_inputs])
def test_shift_inside_without_saying_so_is_never_called_a_missing_mask(loss):
    with pytest.raises(AssertionError) as caught:
        assert_padding_invariant(loss, framework="pytorch")
    assert str(caught.value).endswith(SHIFTED_TWICE)


def test_shift_said_a_missing_mask_is_told():
    with pytest.raises(AssertionError, match=r"Likely PAD01: there is no mask"):
        assert_padding_invariant(without_mask, framework="pytorch", shift=True)
