"""The language model of characters: its loss, and the loss with each bug."""

from typing import Any

import tensorflow as tf

from lossviz.theatre.programs._parts import padded

__all__ = ["no_mask", "padding_divides", "right", "space_is_pad"]

PAD, SPACE = 0, 4


def right(model: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """The mean over the timesteps that count."""
    pad_id = PAD
    targets = padded(next_tokens, lengths, pad_id)
    logits = model(inputs)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets != pad_id, tf.float32)
    return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)


def no_mask(model: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """The padding counts too."""
    pad_id = PAD
    targets = padded(next_tokens, lengths, pad_id)
    logits = model(inputs)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.ones_like(losses)
    return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)


def padding_divides(model: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """The padding is masked, but the sum is divided by all B · T timesteps."""
    pad_id = PAD
    targets = padded(next_tokens, lengths, pad_id)
    logits = model(inputs)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets != pad_id, tf.float32)
    return tf.reduce_mean(losses * mask)


def space_is_pad(model: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """Rows are filled up with the space, so that no space between words counts either."""
    pad_id = SPACE
    targets = padded(next_tokens, lengths, pad_id)
    logits = model(inputs)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets != pad_id, tf.float32)
    return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
