"""The network of the encoder-decoder: bidirectional LSTM → LSTM with attention → logits.

The attention is Luong's (Luong, Pham and Manning 2015, "global", dot product): the decoder's output attends to the
source, and the attended vector is concatenated to it before the logits.
"""

from typing import Any

import keras
import tensorflow as tf

from lossviz.models._training import check_size

__all__ = ["EncoderDecoder"]

KEEP_PROBABILITY = 0.9
EMBEDDING_SIZE = 32


class EncoderDecoder(keras.Model):  # type: ignore[misc]
    """Stacked LSTM cells that read one sequence in both directions and score another, timestep by timestep.

    Args:
        vocab_size: V, the number of ids without start and stop; id 0 is padding.
        num_lstm_layers: how many LSTM cells are stacked in the encoder, and in the decoder.
        num_lstm_units: H, the units of each encoder cell in each direction; a decoder cell has 2·H.
        options: what `keras.Model` takes, such as `name`.

    Raises:
        InputError: if one of the three is not a whole number of at least 1.
    """

    def __init__(self, vocab_size: int, num_lstm_layers: int, num_lstm_units: int, **options: Any) -> None:
        super().__init__(**options)
        self.vocab_size = check_size("vocab_size", vocab_size)
        self.num_lstm_layers = check_size("num_lstm_layers", num_lstm_layers)
        self.num_lstm_units = check_size("num_lstm_units", num_lstm_units)
        self.extended_vocab_size = self.vocab_size + 2
        self.encoder_embedding = keras.layers.Embedding(self.extended_vocab_size, EMBEDDING_SIZE)
        self.decoder_embedding = keras.layers.Embedding(self.extended_vocab_size, EMBEDDING_SIZE)
        self.encoder_lstm = keras.layers.Bidirectional(self._lstm(self.num_lstm_units))
        self.decoder_lstm = self._lstm(2 * self.num_lstm_units)
        self.attention = keras.layers.Attention(use_scale=True)
        self.attention_layer = keras.layers.Dense(2 * self.num_lstm_units, activation="tanh")
        self.logits_layer = keras.layers.Dense(self.extended_vocab_size)
        self((tf.zeros([1, 2], tf.int64), tf.zeros([1, 2], tf.int64)))  # makes the weights, so that they can be loaded

    def make_lstm_cell(self, dropout_keep_prob: float, num_units: int) -> Any:
        """One LSTM cell that keeps this share of its inputs in training."""
        return keras.layers.LSTMCell(num_units, dropout=1 - dropout_keep_prob)

    def stacked_lstm_cells(self, is_training: bool, num_units: int) -> Any:
        """`num_lstm_layers` stacked cells, as one cell; with `is_training`, dropout on their inputs in training."""
        keep = KEEP_PROBABILITY if is_training else 1.0
        cells = [self.make_lstm_cell(keep, num_units) for _ in range(self.num_lstm_layers)]
        return keras.layers.StackedRNNCells(cells) if len(cells) > 1 else cells[0]

    def _lstm(self, num_units: int) -> Any:
        # The mask makes the outputs zero past a sequence's end, so every padded timestep gets the same logits.
        cell = self.stacked_lstm_cells(True, num_units)
        return keras.layers.RNN(cell, return_sequences=True, return_state=True, zero_output_for_mask=True)

    def get_embeddings(self, sequences: Any, scope_name: str) -> tuple[Any, Any]:
        """The vectors [B, T, 32] of ids [B, T] under an "encoder" or "decoder" embedding, and their mask [B, T]."""
        embedding = {"encoder": self.encoder_embedding, "decoder": self.decoder_embedding}[scope_name]
        return embedding(sequences), tf.not_equal(sequences, 0)

    def encoder(self, encoder_inputs: Any, is_training: bool = False) -> tuple[Any, Any, Any]:
        """Read the source in both directions.

        Args:
            encoder_inputs: [B, S] ids in [0, V + 2), padded with 0 at the end.
            is_training: whether the dropout is on.

        Returns:
            The outputs [B, S, 2·H], their mask [B, S], and the state that the decoder starts from: for each layer the
            last states of both directions side by side.
        """
        embeddings, mask = self.get_embeddings(encoder_inputs, "encoder")
        outputs, *states = self.encoder_lstm(embeddings, mask=mask, training=is_training)
        flat = tf.nest.flatten(states)
        forward, backward = flat[: len(flat) // 2], flat[len(flat) // 2 :]
        return outputs, mask, [tf.concat(pair, axis=-1) for pair in zip(forward, backward, strict=True)]

    def decoder(
        self, encoded: tuple[Any, Any], state: Any, decoder_inputs: Any, is_training: bool = False
    ) -> tuple[Any, Any]:
        """Read the ground truth, attend to the source at every timestep, and score what comes next.

        Args:
            encoded: the encoder's outputs [B, S, 2·H] and mask [B, S].
            state: 2 tensors [B, 2·H] for each layer.
            decoder_inputs: [B, T] ids in [0, V + 2), padded with 0 at the end.
            is_training: whether the dropout is on.

        Returns:
            The logits [B, T, V + 2], the same in every padded timestep, and the state after the last timestep.
        """
        embeddings, mask = self.get_embeddings(decoder_inputs, "decoder")
        layers = [state[index : index + 2] for index in range(0, len(state), 2)]
        initial_state = layers if len(layers) > 1 else layers[0]
        outputs, *states = self.decoder_lstm(embeddings, initial_state=initial_state, mask=mask, training=is_training)
        context = self.attention([outputs, encoded[0]], mask=[mask, encoded[1]])
        attended = self.attention_layer(tf.concat([outputs, context], axis=-1))
        return self.logits_layer(attended), tf.nest.flatten(states)

    def call(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        """The logits [B, T, V + 2] of (encoder inputs [B, S], decoder inputs [B, T])."""
        encoder_inputs, decoder_inputs = map(tf.convert_to_tensor, inputs)
        *encoded, state = self.encoder(encoder_inputs, is_training=training)
        return self.decoder(tuple(encoded), state, decoder_inputs, is_training=training)[0]
