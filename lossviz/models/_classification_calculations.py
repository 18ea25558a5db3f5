"""The calculations of a text-classification course's "Loss" chapter: which timestep is read, its logit, its loss."""

from typing import Any

import keras
import tensorflow as tf

from lossviz.engine import sigmoid_loss
from lossviz.errors import InputError, not_one_of
from lossviz.models._classification_checks import checked_labels, checked_lengths, checked_outputs
from lossviz.models._training import check_size

__all__ = ["BACKWARD_AT", "ClassificationCalculations"]

KEEP_PROBABILITY = 0.5
BACKWARD_AT = ("last_real", "first")
"""Where the backward half is read: at the last real timestep, as in the course, or where it has read everything."""


class ClassificationCalculations(keras.Model):  # type: ignore[misc]
    """What `ClassificationModel` computes with ids; its texts and its training are in `classification_model`."""

    def __init__(self, vocab_size: int, max_length: int, num_lstm_units: int, backward_at: str, **options: Any) -> None:
        sizes = {"vocab_size": vocab_size, "max_length": max_length, "num_lstm_units": num_lstm_units}
        checked = [check_size(name, size) for name, size in sizes.items()]
        if backward_at not in BACKWARD_AT:
            raise InputError(not_one_of("backward_at", backward_at, BACKWARD_AT))
        super().__init__(**options)
        self.vocab_size, self.max_length, self.num_lstm_units = checked
        self.backward_at = backward_at
        self.embedding = keras.layers.Embedding(self.vocab_size + 1, int(self.vocab_size**0.25))
        self.bidirectional = keras.layers.Bidirectional(
            self._direction(go_backwards=False), merge_mode=None, backward_layer=self._direction(go_backwards=True)
        )
        self.dropout = keras.layers.Dropout(1 - KEEP_PROBABILITY)
        self.logits_layer = keras.layers.Dense(1)
        self.embedding.build((None, None))
        self.bidirectional.build((None, None, self.embedding.output_dim))
        self.logits_layer.build((None, 2 * self.num_lstm_units))
        self.built = True

    def make_lstm_cell(self) -> Any:
        """A cell of H units; the dropout of its outputs (keep probability 0.5) follows in `run_lstm`."""
        return keras.layers.LSTMCell(self.num_lstm_units)

    def get_input_embeddings(self, input_sequences: Any) -> Any:
        """The embeddings [B, T, int(V ** 0.25)] of ids [B, T].

        Raises:
            InputError: if the ids are not [B, T] integers with T ≤ `max_length`.
        """
        ids = tf.convert_to_tensor(input_sequences)
        if not ids.dtype.is_integer or ids.shape.rank != 2:
            raise InputError(
                f"`input_sequences` must be integers of shape [B, T]; got {ids.dtype.name} of shape {ids.shape}."
            )
        if ids.shape[1] is not None and ids.shape[1] > self.max_length:
            raise InputError(
                f"`input_sequences` must have at most {self.max_length} timesteps, the `max_length`; "
                f"got {ids.shape[1]}. Cut them, or make the model with `max_length={ids.shape[1]}`."
            )
        return self.embedding(ids)

    def run_lstm(self, input_sequences: Any, training: bool = False) -> tuple[tuple[Any, Any], Any]:
        """Read the ids in both directions up to each sequence's length.

        Args:
            input_sequences: [B, T] ids in [0, V], padded with 0 at the end, T ≤ `max_length`.
            training: whether the dropout is on.

        Returns:
            `lstm_outputs`, the forward and the backward half [B, T, H] float32, both in the order of the input and zero
            from each sequence's end on; and `sequence_lengths` [B], the row sums of the ids' signs.

        Raises:
            InputError: if the ids are not [B, T] integers with T ≤ `max_length`.
        """
        embeddings = self.get_input_embeddings(input_sequences)
        lengths = tf.reduce_sum(tf.sign(tf.convert_to_tensor(input_sequences)), axis=1)
        mask = tf.sequence_mask(lengths, tf.shape(embeddings)[1])
        forward, backward = self.bidirectional(embeddings, mask=mask)
        return (self.dropout(forward, training=training), self.dropout(backward, training=training)), lengths

    def get_gather_indices(self, batch_size: Any, sequence_lengths: Any) -> Any:
        """Where the last real timestep of each sequence lies: [[0, len0 - 1], [1, len1 - 1], …], [B, 2].

        Raises:
            InputError: if the lengths are not [B] integers, or one is below 1, so that nothing is there to read.

        >>> model = ClassificationCalculations(16, max_length=5, num_lstm_units=2, backward_at="last_real")
        >>> model.get_gather_indices(3, [3, 5, 1]).numpy().tolist()
        [[0, 2], [1, 4], [2, 0]]
        """
        lengths = checked_lengths(batch_size, sequence_lengths)
        return tf.stack([tf.range(tf.cast(batch_size, lengths.dtype)), lengths - 1], axis=1)

    def calculate_logits(self, lstm_outputs: Any, batch_size: Any, sequence_lengths: Any) -> Any:
        """Read both halves at the last real timestep (or the backward one at 0), and give each sequence a logit.

        Args:
            lstm_outputs: the forward and the backward half, each [B, T, H] float32; padded timesteps may hold anything.
            batch_size: B.
            sequence_lengths: [B] integers from 1 to T.

        Returns:
            The logits [B, 1] float32.

        Raises:
            InputError: if a shape does not fit, or a length is below 1 or above T.
        """
        forward, backward = checked_outputs(lstm_outputs, batch_size, self.num_lstm_units)
        lengths = checked_lengths(batch_size, sequence_lengths, forward)
        indices = self.get_gather_indices(batch_size, lengths)
        at_the_end = tf.gather_nd(tf.concat([forward, backward], axis=-1), indices)
        if self.backward_at == "last_real":
            return self.logits_layer(at_the_end)
        return self.logits_layer(tf.concat([at_the_end[:, : self.num_lstm_units], backward[:, 0]], axis=-1))

    def calculate_loss(self, lstm_outputs: Any, batch_size: Any, sequence_lengths: Any, labels: Any) -> Any:
        """Add up the sigmoid cross entropy of every sequence's logit; divide by nothing.

        Args:
            lstm_outputs: the forward and the backward half, each [B, T, H] float32.
            batch_size: B.
            sequence_lengths: [B] integers from 1 to T.
            labels: [B] or [B, 1], 0 or 1, of any dtype; they are cast to float32.

        Returns:
            The overall loss, a float32 scalar in nats.

        Raises:
            InputError: if a shape does not fit, a length is below 1 or above T, or a label is not in [0, 1].
        """
        logits = self.calculate_logits(lstm_outputs, batch_size, sequence_lengths)
        return tf.reduce_sum(sigmoid_loss(logits, checked_labels(labels, logits)))

    def call(self, input_sequences: Any, training: bool = False) -> Any:
        """The logits [B, 1] of ids [B, T]."""
        lstm_outputs, lengths = self.run_lstm(input_sequences, training=training)
        return self.calculate_logits(lstm_outputs, tf.shape(lengths)[0], lengths)

    def logits_everywhere(self, lstm_outputs: Any) -> Any:
        """The logits [B, T, 1] that each timestep would give if it were read instead of the last real one.

        With `backward_at="first"` only the forward half moves; the backward half is always read at timestep 0.
        """
        forward, backward = lstm_outputs
        if self.backward_at == "first":
            backward = tf.broadcast_to(backward[:, :1], tf.shape(backward))
        return self.logits_layer(tf.concat([forward, backward], axis=-1))

    def _direction(self, go_backwards: bool) -> Any:
        # Padding leaves the state as it was, so the backward half starts with the last real id.
        return keras.layers.RNN(
            self.make_lstm_cell(), return_sequences=True, zero_output_for_mask=True, go_backwards=go_backwards
        )
