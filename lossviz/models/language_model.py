"""A language model: embedding → stacked LSTM → logits → masked sum of the cross entropy.

Follows the "Calculating Loss" chapter of an LSTM language-model course; leaves out its checkpoints and its sampling.
"""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossviz.engine import softmax_loss
from lossviz.errors import InputError

__all__ = ["LanguageModel"]

KEEP_PROBABILITY = 0.5


class LanguageModel(keras.Model):  # type: ignore[misc]
    """Predicts the next token of each sequence; its loss is a sum over the timesteps that hold a token.

    Ids: 0 is padding, 1 … V-1 are tokens, where V = `vocab_size`. The logits have one class per id, so that targets are
    in [0, V) and class 0 is never right under the mask. The embedding has V + 1 rows, as the course has it: the row of
    id V is a spare one, which an input may name and a target may not.

    Args:
        vocab_size: V, the number of classes, the padding id among them.
        max_length: the largest T that the model reads; shorter sequences are padded with 0.
        num_lstm_units: H, the units of each LSTM layer.
        num_lstm_layers: how many LSTM layers stand on each other.

    Raises:
        InputError: if one of the four is not a whole number of at least 1.

    >>> model = LanguageModel(vocab_size=81, max_length=5, num_lstm_units=4, num_lstm_layers=2)
    >>> model.embedding.input_dim, model.embedding.output_dim  # 81 ids and a spare one, into int(81 ** 0.25)
    (82, 3)
    >>> model(np.array([[7, 8, 9, 0, 0]])).shape
    TensorShape([1, 5, 81])
    """

    def __init__(self, vocab_size: int, max_length: int, num_lstm_units: int, num_lstm_layers: int) -> None:
        sizes = {
            "vocab_size": vocab_size,
            "max_length": max_length,
            "num_lstm_units": num_lstm_units,
            "num_lstm_layers": num_lstm_layers,
        }
        for name, size in sizes.items():
            if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
                raise InputError(f"`{name}` must be a whole number of at least 1; got {size!r}.")
        super().__init__()
        self.vocab_size, self.max_length = int(vocab_size), int(max_length)
        self.embedding = keras.layers.Embedding(self.vocab_size + 1, int(self.vocab_size**0.25))
        self.lstms = [_lstm(num_lstm_units) for _ in range(num_lstm_layers)]
        self.dropouts = [keras.layers.Dropout(1 - KEEP_PROBABILITY) for _ in range(num_lstm_layers)]
        self.logits_layer = keras.layers.Dense(self.vocab_size)

    def run_lstm(self, input_sequences: Any, training: bool = False) -> tuple[Any, Any]:
        """Read the input ids up to each sequence's length.

        Args:
            input_sequences: [B, T] ids in [0, V], padded with 0 at the end, T ≤ `max_length`.
            training: whether the dropout is on.

        Returns:
            `lstm_outputs` [B, T, H] float32, zero from each sequence's end on, and `binary_sequences` [B, T], the sign
            of the ids: 1 where there is a token.

        Raises:
            InputError: if the ids are not [B, T] integers with T ≤ `max_length`.
        """
        input_sequences = tf.convert_to_tensor(input_sequences)
        self._check_ids("input_sequences", input_sequences)
        binary_sequences = tf.sign(input_sequences)
        lengths = tf.reduce_sum(binary_sequences, axis=1)
        counts = tf.sequence_mask(lengths, tf.shape(input_sequences)[1])
        outputs = self.embedding(input_sequences)
        for lstm, dropout in zip(self.lstms, self.dropouts, strict=True):
            outputs = dropout(lstm(outputs, mask=counts), training=training)
        return outputs, binary_sequences

    def call(self, input_sequences: Any, training: bool = False) -> Any:
        """The logits [B, T, V] of what comes after each token."""
        lstm_outputs, _ = self.run_lstm(input_sequences, training=training)
        return self.logits_layer(lstm_outputs)

    def calculate_loss(self, lstm_outputs: Any, binary_sequences: Any, output_sequences: Any) -> Any:
        """Add up the cross entropy of every timestep that holds a token, over every sequence; divide by nothing.

        The targets are sparse (class ids, rank 2) while the logits have rank 3, so the sparse cross entropy is the one
        that fits; the mask has the targets' shape and holds only 0 and 1.

        Args:
            lstm_outputs: [B, T, H] float32.
            binary_sequences: [B, T] 0 or 1, the mask.
            output_sequences: [B, T] target ids in [0, V).

        Returns:
            The overall loss, a float32 scalar in nats.

        Raises:
            InputError: if a shape does not fit, or a target outside [0, V) counts.
        """
        logits = self.logits_layer(lstm_outputs)
        unpadded_loss = softmax_loss(logits, output_sequences, tf.cast(binary_sequences, tf.float32))
        return tf.reduce_sum(unpadded_loss)

    def record(
        self, input_sequences: np.ndarray, output_sequences: np.ndarray, vocabulary: list[str] | None = None
    ) -> dict[str, Any]:
        """Everything that a Batch needs, as plain arrays, with the dropout off.

        Args:
            input_sequences: [B, T] ids in [0, V], padded with 0.
            output_sequences: [B, T] target ids.
            vocabulary: V tokens, in the order of their ids.

        Returns:
            The arguments of `Batch.from_arrays`: logits [B, T, V] float32, targets, inputs, lengths [B], pad_id, and
            the vocabulary if there is one.

        Raises:
            InputError: if an input id is not in [0, V], or the ids are not [B, T] integers with T ≤ `max_length`.

        >>> model = LanguageModel(vocab_size=16, max_length=3, num_lstm_units=4, num_lstm_layers=1)
        >>> fields = model.record(np.array([[5, 6, 0]]), np.array([[6, 7, 0]]))
        >>> fields["lengths"].tolist(), fields["logits"].shape, fields["pad_id"]
        ([2], (1, 3, 16), 0)
        """
        inputs, targets = np.asarray(input_sequences), np.asarray(output_sequences)
        if inputs.size and (inputs.min() < 0 or inputs.max() > self.vocab_size):
            raise InputError(
                f"`input_sequences` must lie in [0, {self.vocab_size}], the ids of the embedding; "
                f"got {inputs.min()} to {inputs.max()}."
            )
        lstm_outputs, binary_sequences = self.run_lstm(inputs)
        fields: dict[str, Any] = {
            "logits": self.logits_layer(lstm_outputs).numpy(),
            "targets": targets.astype(np.int64),
            "inputs": inputs.astype(np.int64),
            "lengths": binary_sequences.numpy().sum(axis=1).astype(np.int64),
            "pad_id": 0,
        }
        return fields if vocabulary is None else {**fields, "vocabulary": list(vocabulary)}

    def _check_ids(self, name: str, ids: Any) -> None:
        if not ids.dtype.is_integer or ids.shape.rank != 2:
            raise InputError(f"`{name}` must be integers of shape [B, T]; got {ids.dtype.name} of shape {ids.shape}.")
        if ids.shape[1] is not None and ids.shape[1] > self.max_length:
            raise InputError(
                f"`{name}` must have at most {self.max_length} timesteps, the `max_length`; got {ids.shape[1]}. "
                f"Cut them, or make the model with `max_length={ids.shape[1]}`."
            )


def _lstm(units: int) -> Any:
    # The mask makes the outputs zero past a sequence's end, so every padded timestep gets the same logits: the bias.
    return keras.layers.RNN(keras.layers.LSTMCell(units), return_sequences=True, zero_output_for_mask=True)
