"""The language model's `calculate_loss`: logits, losses, mask, sum."""

from typing import Any

from lossviz.batch import Batch
from lossviz.lessons.blanks._function import Blank, Function, Line, Scope
from lossviz.masking import resolve_mask

__all__ = ["LANGUAGE_MODEL"]


def _scope(tf: Any, batch: Batch) -> Scope:
    """The outputs are such that a dense layer with the identity as its weights gives the batch's logits."""
    return {
        "lstm_outputs": tf.constant(batch.logits, tf.float32),
        "binary_sequences": tf.constant(resolve_mask(batch, "lengths").weights != 0),
        "output_sequences": tf.constant(batch.targets, tf.int32),
    }


def _dense(tf: Any, s: Scope, units: int) -> Any:
    return tf.matmul(s["lstm_outputs"], tf.eye(s["lstm_outputs"].shape[-1], units))


LANGUAGE_MODEL = Function(
    "language_model",
    "def calculate_loss(lstm_outputs, binary_sequences, output_sequences):",
    (
        Blank(
            "logits",
            (
                Line("Dense(vocab_size)(lstm_outputs)", lambda tf, s: _dense(tf, s, s["lstm_outputs"].shape[-1])),
                Line(
                    "tf.nn.softmax(Dense(vocab_size)(lstm_outputs))",
                    lambda tf, s: tf.nn.softmax(_dense(tf, s, s["lstm_outputs"].shape[-1])),
                    "The loss applies a softmax itself: this would be the second one.",
                ),
                Line(
                    "Dense(max_length)(lstm_outputs)",
                    lambda tf, s: _dense(tf, s, s["lstm_outputs"].shape[1]),
                    "The layer needs one unit for each class, not one for each timestep.",
                ),
            ),
        ),
        Blank(
            "losses",
            (
                Line(
                    "sparse_softmax_cross_entropy_with_logits(output_sequences, logits)",
                    lambda tf, s: tf.nn.sparse_softmax_cross_entropy_with_logits(s["output_sequences"], s["logits"]),
                ),
                Line(
                    "softmax_cross_entropy_with_logits(output_sequences, logits)",
                    lambda tf, s: tf.nn.softmax_cross_entropy_with_logits(
                        tf.cast(s["output_sequences"], tf.float32), s["logits"]
                    ),
                    "It wants a number for each class; the targets are ids.",
                ),
                Line(
                    "sparse_softmax_cross_entropy_with_logits(binary_sequences, logits)",
                    lambda tf, s: tf.nn.sparse_softmax_cross_entropy_with_logits(
                        tf.cast(s["binary_sequences"], tf.int32), s["logits"]
                    ),
                    "Those are the mask's zeros and ones, taken for the targets.",
                ),
            ),
        ),
        Blank(
            "unpadded",
            (
                Line(
                    "losses * tf.cast(binary_sequences, tf.float32)",
                    lambda tf, s: s["losses"] * tf.cast(s["binary_sequences"], tf.float32),
                ),
                Line(
                    "losses * binary_sequences",
                    lambda _, s: s["losses"] * s["binary_sequences"],
                    "A boolean mask makes the product boolean. Cast it first.",
                ),
                Line(
                    "losses * (1 - tf.cast(binary_sequences, tf.float32))",
                    lambda tf, s: s["losses"] * (1 - tf.cast(s["binary_sequences"], tf.float32)),
                    "That keeps the padding and drops the rest.",
                ),
            ),
        ),
        Blank(
            "overall_loss",
            (
                Line("tf.reduce_sum(unpadded)", lambda tf, s: tf.reduce_sum(s["unpadded"])),
                Line(
                    "tf.reduce_mean(unpadded)",
                    lambda tf, s: tf.reduce_mean(s["unpadded"]),
                    "The language model of the course divides by nothing.",
                ),
                Line(
                    "tf.reduce_sum(unpadded) / batch_size",
                    lambda tf, s: tf.reduce_sum(s["unpadded"]) / s["unpadded"].shape[0],
                    "That is the decoder's loss, per sequence.",
                ),
            ),
        ),
    ),
    _scope,
    "unpadded",
)
