"""The encoder-decoder for dates: its loss, and the loss with each bug."""

from typing import Any

import tensorflow as tf

from lossviz.theatre.programs._parts import in_eight, padded

__all__ = ["mask_inverted", "mean_of_means", "not_shifted", "right", "stop_is_pad"]

PAD = 0


def right(model: Any, sources: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """The mean over the timesteps that count."""
    pad_id = PAD
    targets = padded(next_tokens, lengths, pad_id)
    logits = model((sources, inputs))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets != pad_id, tf.float32)
    return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)


def stop_is_pad(model: Any, sources: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """Rows are filled up with the stop token, so that no stop counts."""
    pad_id = model.stop_id
    targets = padded(next_tokens, lengths, pad_id)
    logits = model((sources, inputs))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets != pad_id, tf.float32)
    return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)


def not_shifted(model: Any, sources: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:  # noqa: ARG001
    """The targets are the tokens that the decoder has just read."""
    pad_id = PAD
    targets = padded(inputs, lengths, pad_id)
    logits = model((sources, inputs))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets != pad_id, tf.float32)
    return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)


def mean_of_means(model: Any, sources: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """The mean of eight micro-batches' means; the rows are sorted by length."""
    pad_id = PAD
    targets = padded(next_tokens, lengths, pad_id)
    logits = model((sources, inputs))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets != pad_id, tf.float32)
    return tf.reduce_mean(in_eight(losses * mask) / in_eight(mask))


def mask_inverted(model: Any, sources: Any, inputs: Any, next_tokens: Any, lengths: Any) -> Any:
    """The mask keeps the padding."""
    pad_id = PAD
    targets = padded(next_tokens, lengths, pad_id)
    logits = model((sources, inputs))
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)
    mask = tf.cast(targets == pad_id, tf.float32)
    return tf.reduce_sum(losses * mask) / tf.reduce_sum(mask)
