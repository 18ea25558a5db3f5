"""The encoder-decoder's `calculate_loss`: mask from lengths, final tokens, per-sequence loss."""

from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.lessons.blanks._function import Blank, Function, Line, Scope

__all__ = ["ENCODER_DECODER"]


def _scope(tf: Any, batch: Batch) -> Scope:
    """The ground truth is what the decoder reads: the targets one timestep later, behind a start."""
    read = np.pad(batch.targets[:, :-1], ((0, 0), (1, 0))) if batch.inputs is None else batch.inputs
    return {
        "logits": tf.constant(batch.logits, tf.float32),
        "dec_seq_lens": tf.constant(batch.lengths, tf.int32),
        "final_tokens": tf.constant(batch.targets, tf.int32),
        "ground_truth": tf.constant(read, tf.int32),
    }


def _masked(tf: Any, s: Scope) -> Any:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(s["decoder_outputs"], s["logits"])
    s["unpadded"] = losses * s["binary_sequences"]
    return s["unpadded"]


ENCODER_DECODER = Function(
    "encoder_decoder",
    "def calculate_loss(logits, dec_seq_lens, final_tokens, ground_truth, batch_size):",
    (
        Blank(
            "binary_sequences",
            (
                Line(
                    "tf.sequence_mask(dec_seq_lens, max_length, tf.float32)",
                    lambda tf, s: tf.sequence_mask(s["dec_seq_lens"], s["logits"].shape[1], tf.float32),
                ),
                Line(
                    "tf.cast(tf.sign(final_tokens), tf.float32)",
                    lambda tf, s: tf.cast(tf.sign(s["final_tokens"]), tf.float32),
                    "It loses every word whose id is 0, and in this batch there is one.",
                ),
                Line(
                    "tf.sequence_mask(final_tokens, dtype=tf.float32)",
                    lambda tf, s: tf.sequence_mask(s["final_tokens"], dtype=tf.float32),
                    "It reads every id as a length, and the mask gets a third axis.",
                ),
            ),
        ),
        Blank(
            "decoder_outputs",
            (
                Line("final_tokens", lambda _, s: s["final_tokens"]),
                Line(
                    "ground_truth",
                    lambda _, s: s["ground_truth"],
                    "That is what the decoder reads. On the half-trained dates it prints 75.0071 instead of 5.3173.",
                ),
            ),
        ),
        Blank(
            "per_seq_loss",
            (
                Line(
                    "tf.reduce_sum(losses * binary_sequences) / batch_size",
                    lambda tf, s: tf.reduce_sum(_masked(tf, s)) / s["logits"].shape[0],
                ),
                Line(
                    "tf.reduce_mean(losses * binary_sequences)",
                    lambda tf, s: tf.reduce_mean(_masked(tf, s)),
                    "That divides by all positions, padding too.",
                ),
                Line(
                    "tf.reduce_sum(losses * binary_sequences) / tf.reduce_sum(binary_sequences)",
                    lambda tf, s: tf.reduce_sum(_masked(tf, s)) / tf.reduce_sum(s["binary_sequences"]),
                    "That divides by the timesteps that count. This loss is one per sequence.",
                ),
            ),
        ),
    ),
    _scope,
    "unpadded",
)
