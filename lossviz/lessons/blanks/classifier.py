"""The text classifier's `calculate_loss`: the timestep that is read, the labels, the sigmoid, the sum."""

from typing import Any

from lossviz.batch import Batch
from lossviz.lessons.blanks._function import Blank, Function, Line, Scope

__all__ = ["CLASSIFIER"]


def _scope(tf: Any, batch: Batch) -> Scope:
    return {
        "outputs": tf.constant(batch.logits[..., 0], tf.float32),
        "sequence_lengths": tf.constant(batch.lengths, tf.int32),
        "given": tf.constant(batch.targets[:, 0], tf.int32),
    }


def _gather(tf: Any, s: Scope, places: Any) -> Any:
    rows = tf.range(s["outputs"].shape[0])
    return tf.gather_nd(s["outputs"], tf.stack([rows, tf.broadcast_to(places, rows.shape)], axis=1))


CLASSIFIER = Function(
    "classification",
    "def calculate_loss(outputs, sequence_lengths, given):",
    (
        Blank(
            "logits",
            (
                Line("outputs[b, length - 1]", lambda tf, s: _gather(tf, s, s["sequence_lengths"] - 1)),
                Line(
                    "outputs[b, max_length - 1]",
                    lambda tf, s: _gather(tf, s, s["outputs"].shape[1] - 1),
                    "At the last column most rows are padding. On the trained reviews it prints 4.1604, not 10.1513.",
                ),
                Line(
                    "outputs[b, length]",
                    lambda tf, s: _gather(tf, s, s["sequence_lengths"]),
                    "That is one past the end, and outside of the longest row.",
                ),
            ),
        ),
        Blank(
            "labels",
            (
                Line("tf.cast(given, tf.float32)", lambda tf, s: tf.cast(s["given"], tf.float32)),
                Line("given", lambda _, s: s["given"], "They are integers, and the sigmoid's loss wants floats."),
            ),
        ),
        Blank(
            "losses",
            (
                Line(
                    "sigmoid_cross_entropy_with_logits(labels, logits)",
                    lambda tf, s: tf.nn.sigmoid_cross_entropy_with_logits(s["labels"], s["logits"]),
                ),
                Line(
                    "sigmoid_cross_entropy_with_logits(labels, tf.sigmoid(logits))",
                    lambda tf, s: tf.nn.sigmoid_cross_entropy_with_logits(s["labels"], tf.sigmoid(s["logits"])),
                    "The loss applies a sigmoid itself: this would be the second one.",
                ),
                Line(
                    "softmax_cross_entropy_with_logits(labels[:, None], logits[:, None])",
                    lambda tf, s: tf.nn.softmax_cross_entropy_with_logits(s["labels"][:, None], s["logits"][:, None]),
                    "The softmax of a single logit is always 1, so this is always 0.",
                ),
            ),
        ),
        Blank(
            "overall_loss",
            (
                Line("tf.reduce_sum(losses)", lambda tf, s: tf.reduce_sum(s["losses"])),
                Line(
                    "tf.reduce_mean(losses)",
                    lambda tf, s: tf.reduce_mean(s["losses"]),
                    "The course sums over the batch.",
                ),
            ),
        ),
    ),
    _scope,
    "losses",
)
