"""A language model: embedding → stacked LSTM → logits → masked sum of the cross entropy.

Follows the "Calculating Loss" chapter of an LSTM language-model course, in Keras 3.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossviz.batch import Batch
from lossviz.engine import softmax_loss
from lossviz.errors import InputError
from lossviz.models._dropout_cell import DropoutCell
from lossviz.models._language_checks import check_ids, check_loss_shapes, check_range
from lossviz.models._language_text import BOS_ID, EOS_ID, PAD_ID, Texts, learn
from lossviz.models._saving import Saved
from lossviz.models._training import History, OnStep, check_size, train

__all__ = ["LanguageModel"]

KEEP_PROBABILITY = 0.5


@keras.saving.register_keras_serializable(package="lossviz")
class LanguageModel(Saved, keras.Model):  # type: ignore[misc]
    """Predicts the next token of each sequence; its loss is a sum over the timesteps that hold a token.

    Ids: 0 is padding, 1 … V-1 are tokens, where V = `vocab_size`. The logits have one class per id, so class 0 is never
    right under the mask. The embedding has V + 1 rows, as in the course: inputs may contain id V, targets may not.

    Args:
        vocab_size: V, the number of classes, the padding id among them.
        max_length: the largest T that the model reads; shorter sequences are padded with 0.
        num_lstm_units: H, the units of each LSTM layer.
        num_lstm_layers: how many LSTM layers are stacked.
        tokens: what texts are made of, from id 4 on (after padding, unknown, start and stop); by default, `fit` takes
            the most frequent tokens of its corpus.
        split: what a token of a text is, "words" or "characters".

    Raises:
        InputError: if one of the four is not a whole number of at least 1, or there are more tokens than ids.

    >>> model = LanguageModel(vocab_size=81, max_length=5, num_lstm_units=4, num_lstm_layers=2)
    >>> model.embedding.input_dim, model.embedding.output_dim  # 81 ids and a spare one, into int(81 ** 0.25)
    (82, 3)
    >>> model(np.array([[7, 8, 9, 0, 0]])).shape
    TensorShape([1, 5, 81])
    """

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        num_lstm_units: int,
        num_lstm_layers: int,
        *,
        tokens: Sequence[str] | None = None,
        split: str = "words",
    ) -> None:
        super().__init__()
        self.vocab_size = check_size("vocab_size", vocab_size)
        self.max_length = check_size("max_length", max_length)
        self.num_lstm_units = check_size("num_lstm_units", num_lstm_units)
        self.num_lstm_layers = check_size("num_lstm_layers", num_lstm_layers)
        self.split = split
        self._texts = None if tokens is None else Texts(list(tokens), split, self.vocab_size)
        self.embedding = keras.layers.Embedding(self.vocab_size + 1, int(self.vocab_size**0.25))
        cells = [self.make_lstm_cell(KEEP_PROBABILITY) for _ in range(self.num_lstm_layers)]
        self.lstms = [_over_time(cell.cell) for cell in cells]
        self.dropouts = [cell.dropout for cell in cells]
        self.logits_layer = keras.layers.Dense(self.vocab_size)
        self(np.zeros((1, 1), np.int64))  # creates every weight now

    def make_lstm_cell(self, dropout_keep_prob: float) -> DropoutCell:
        """A new LSTM cell of H units that keeps the fraction `dropout_keep_prob` of its outputs in training."""
        return DropoutCell(keras.layers.LSTMCell(self.num_lstm_units), dropout_keep_prob)

    def stacked_lstm_cells(self, is_training: bool) -> Any:
        """The model's own cells, stacked, to read one timestep at a time; with dropout of one half in training.

        >>> cells = LanguageModel(9, 5, num_lstm_units=4, num_lstm_layers=2).stacked_lstm_cells(is_training=True)
        >>> [cell.output_keep_prob for cell in cells.cells]
        [0.5, 0.5]
        """
        keep, pairs = (KEEP_PROBABILITY if is_training else 1.0), zip(self.lstms, self.dropouts, strict=True)
        cells = [DropoutCell(lstm.cell, keep, dropout if is_training else None) for lstm, dropout in pairs]
        return keras.layers.StackedRNNCells(cells)

    def get_input_embeddings(self, input_sequences: Any) -> Any:
        """The embeddings [B, T, int(V ** 0.25)] of ids [B, T] in [0, V]."""
        return self.embedding(input_sequences)

    def run_lstm(self, input_sequences: Any, is_training: bool = False) -> tuple[Any, Any]:
        """Read the input ids up to each sequence's length: `stacked_lstm_cells`, a layer at a time.

        Args:
            input_sequences: [B, T] ids in [0, V], padded with 0 at the end, T ≤ `max_length`.
            is_training: whether the dropout is on.

        Returns:
            `lstm_outputs` [B, T, H] float32, zero from each sequence's end on, and `binary_sequences` [B, T], the sign
            of the ids: 1 where there is a token.

        Raises:
            InputError: if the ids are not [B, T] integers with T ≤ `max_length`.
        """
        input_sequences = tf.convert_to_tensor(input_sequences)
        check_ids("input_sequences", input_sequences, self.max_length)
        binary_sequences = tf.sign(input_sequences)
        lengths = tf.reduce_sum(binary_sequences, axis=1)
        counts = tf.sequence_mask(lengths, tf.shape(input_sequences)[1])
        outputs = self.get_input_embeddings(input_sequences)
        for lstm, dropout in zip(self.lstms, self.dropouts, strict=True):
            outputs = dropout(lstm(outputs, mask=counts), training=is_training)
        return outputs, binary_sequences

    def call(self, input_sequences: Any, training: bool = False) -> Any:
        """The logits [B, T, V] of what comes after each token."""
        lstm_outputs, _ = self.run_lstm(input_sequences, is_training=training)
        return self.logits_layer(lstm_outputs)

    def calculate_loss(self, lstm_outputs: Any, binary_sequences: Any, output_sequences: Any) -> Any:
        """Add up the cross entropy of every timestep that holds a token, in nats; divide by nothing.

        The targets are sparse (class ids, rank 2) while the logits have rank 3, so the sparse cross entropy is the one
        that fits; the mask has the targets' shape and holds only 0 and 1.

        Args:
            lstm_outputs: [B, T, H] float32.
            binary_sequences: [B, T] 0 or 1, the mask.
            output_sequences: [B, T] target ids in [0, V).

        Raises:
            InputError: if a shape does not fit, or a target outside [0, V) counts.
        """
        outputs, mask, labels = map(tf.convert_to_tensor, (lstm_outputs, binary_sequences, output_sequences))
        check_loss_shapes(outputs, mask, labels, self.num_lstm_units)
        unpadded_loss = softmax_loss(self.logits_layer(outputs), labels, tf.cast(mask, tf.float32))
        return tf.reduce_sum(unpadded_loss)

    def fit(self, corpus: Sequence[str], *, seed: int, steps: int, on_step: OnStep | None = None) -> History:
        """Train on texts, one sequence each, 16 a step; the same model, corpus and seed give the same weights.

        Args:
            corpus: texts of at most `max_length` - 1 tokens.
            seed: for the order of the texts and the dropout.
            steps: how many times 16 texts are read.
            on_step: called with (done, total, mean loss of a timestep in nats); an exception in it stops the training.
        """
        texts = self._texts or learn(corpus, self.split, self.vocab_size)
        pairs = texts.sequences(corpus, self.max_length, "corpus")
        self._texts = texts
        return train(self, self._loss_and_timesteps, pairs, seed=seed, steps=steps, on_step=on_step)

    def generate(self, prompt: str, steps: int) -> str:
        """The prompt's tokens and up to `steps` more, each the likeliest one, until the model says stop.

        Raises:
            InputError: if the model knows no tokens yet, or `steps` is not a whole number of at least 1.
        """
        texts, cells = self._known_texts(), self.stacked_lstm_cells(is_training=False)
        said = texts.tokenizer.ids([prompt])[0]
        states, stop = cells.get_initial_state(1), len(said) + check_size("steps", steps)
        for token in (BOS_ID, *said):
            outputs, states = self.read_token(cells, np.array([token]), states)
        while len(said) < stop:
            token = int(EOS_ID + self.logits_layer(outputs).numpy()[0, EOS_ID:].argmax())
            if token == EOS_ID:
                break
            said.append(token)
            outputs, states = self.read_token(cells, np.array([token]), states)
        return texts.tokenizer.text(said)

    def read_token(self, cells: Any, tokens: Any, states: Any) -> tuple[Any, Any]:
        """Read one more token [B] with `stacked_lstm_cells`: the outputs [B, H], and the states after it."""
        outputs, states = cells(self.get_input_embeddings(tokens), states)
        return outputs, states if self.num_lstm_layers > 1 else [states]  # Keras unpacks the states of a single cell

    def record(self, texts: Sequence[str]) -> Batch:
        """The padded batch of texts as the loss sees it, with the dropout off.

        Raises:
            InputError: if the model knows no tokens yet, there is no text, or one is too long.

        >>> batch = LanguageModel(9, 5, 4, 1, tokens=["the", "cat"]).record(["The cat.", "The"])
        >>> batch.inputs.tolist(), batch.targets.tolist(), batch.lengths.tolist()
        ([[2, 4, 5], [2, 4, 0]], [[4, 5, 3], [4, 3, 0]], [3, 2])
        """
        known = self._known_texts()
        fields = self.record_arrays(*known.sequences(texts, self.max_length), known.vocabulary)
        return Batch.from_arrays(**fields, eos_id=EOS_ID)

    def record_arrays(
        self, input_sequences: np.ndarray, output_sequences: np.ndarray, vocabulary: list[str] | None = None
    ) -> dict[str, Any]:
        """Everything that a Batch needs, as plain arrays, with the dropout off.

        Args:
            input_sequences: [B, T] ids in [0, V], padded with 0.
            output_sequences: [B, T] target ids.
            vocabulary: V tokens, in the order of their ids.

        Raises:
            InputError: if the input ids are not [B, T] integers in [0, V] with T ≤ `max_length`.

        >>> model = LanguageModel(vocab_size=16, max_length=3, num_lstm_units=4, num_lstm_layers=1)
        >>> fields = model.record_arrays(np.array([[5, 6, 0]]), np.array([[6, 7, 0]]))
        >>> fields["lengths"].tolist(), fields["logits"].shape, fields["pad_id"]
        ([2], (1, 3, 16), 0)
        """
        inputs, targets = np.asarray(input_sequences), np.asarray(output_sequences)
        check_range("input_sequences", inputs, self.vocab_size)
        lstm_outputs, binary_sequences = self.run_lstm(inputs)
        fields: dict[str, Any] = {
            "logits": self.logits_layer(lstm_outputs).numpy(),
            "targets": targets.astype(np.int64),
            "inputs": inputs.astype(np.int64),
            "lengths": binary_sequences.numpy().sum(axis=1).astype(np.int64),
            "pad_id": PAD_ID,
        }
        return fields if vocabulary is None else {**fields, "vocabulary": list(vocabulary)}

    def get_config(self) -> dict[str, Any]:
        """The arguments that make this model again, without its weights."""
        names = ("vocab_size", "max_length", "num_lstm_units", "num_lstm_layers", "split")
        tokens = None if self._texts is None else self._texts.tokens
        return {**{name: getattr(self, name) for name in names}, "tokens": tokens}

    def _loss_and_timesteps(self, inputs: Any, targets: Any) -> tuple[Any, Any]:
        lstm_outputs, binary_sequences = self.run_lstm(inputs, is_training=True)
        return self.calculate_loss(lstm_outputs, binary_sequences, targets), tf.reduce_sum(binary_sequences)

    def _known_texts(self) -> Texts:
        if self._texts is None:
            raise InputError("The model knows no tokens yet. Call `fit`, or make it with `tokens=`.")
        return self._texts


def _over_time(cell: Any) -> Any:
    # The mask makes the outputs zero past a sequence's end, so every padded timestep gets the same logits: the bias.
    return keras.layers.RNN(cell, return_sequences=True, zero_output_for_mask=True)
