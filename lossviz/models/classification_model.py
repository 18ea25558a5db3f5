"""A text classifier: embedding → bidirectional LSTM → the last real timestep → one logit per sequence.

Follows the "Loss" chapter of a text-classification course; `backward_at` is what the course leaves to the reader.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.models._classification_calculations import BACKWARD_AT, ClassificationCalculations
from lossviz.models._saving import Saved
from lossviz.models._training import History, OnStep, Tokenizer, learn_tokens, pad_rows, train

__all__ = ["BACKWARD_AT", "ClassificationModel"]

ROWS = 32


@keras.saving.register_keras_serializable("lossviz")
class ClassificationModel(Saved, ClassificationCalculations):
    """Gives each sequence one logit, of being class 1; its loss is a sum over the sequences.

    Ids: 0 is padding, 1 an unknown word, 2 … V-1 are words, where V = `vocab_size`; the embedding has V + 1 rows, as in
    the course. The backward half of a bidirectional LSTM reads from the end, so that at the last real timestep, which
    the course reads, it has seen one token only; `backward_at="first"` reads it at timestep 0, where it has seen all of
    them.

    Args:
        vocab_size: V, the number of ids.
        max_length: the largest T that the model reads.
        num_lstm_units: H, the units of each of the two directions.
        backward_at: "last_real" or "first", the timestep at which the backward half is read.
        tokens: the words from id 2 on, at most V - 2; None for those of the first corpus that `fit` gets.

    Raises:
        InputError: if a size is not a whole number of at least 1, `backward_at` is neither of the two, or the words are
            more than V - 2.

    >>> model = ClassificationModel(vocab_size=81, max_length=5, num_lstm_units=4)
    >>> model.embedding.input_dim, model.embedding.output_dim  # 81 ids and a spare one, into int(81 ** 0.25)
    (82, 3)
    >>> model(np.array([[7, 8, 9, 0, 0], [3, 0, 0, 0, 0]])).shape
    TensorShape([2, 1])
    """

    def __init__(
        self,
        vocab_size: int,
        max_length: int,
        num_lstm_units: int,
        *,
        backward_at: str = "last_real",
        tokens: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(vocab_size, max_length, num_lstm_units, backward_at, **options)
        self.tokenizer = None if tokens is None else self._tokenizer(tokens)

    def fit(
        self, corpus: Sequence[tuple[str, int]], *, seed: int, steps: int, on_step: OnStep | None = None
    ) -> History:
        """Train on texts and their labels; the same seed gives the same weights again.

        Args:
            corpus: pairs of a text and its label, 0 or 1.
            seed: for the order of the texts and the dropout.
            steps: minibatches of 32 texts.
            on_step: called with (done, total, mean loss in nats) after each step; raise in it to stop.

        Raises:
            InputError: if there is no text, or one has no word or more than `max_length`.
        """
        texts, labels = [text for text, _ in corpus], np.array([[label] for _, label in corpus], np.float32)
        if not texts:
            raise InputError("`corpus` must hold at least one text to train on; got none.")
        if self.tokenizer is None:
            self.tokenizer = self._tokenizer(learn_tokens(texts, "words", max(self.vocab_size - 2, 0)))
        arrays = (self.ids(texts), labels)
        return train(self, self._loss_of, arrays, seed=seed, steps=steps, rows=ROWS, on_step=on_step)

    def ids(self, texts: Sequence[str]) -> np.ndarray:
        """The ids [B, T] of texts, padded with 0; T is the longest of them.

        Raises:
            InputError: if the model has no words yet, or a text has none or more than `max_length`.
        """
        if self.tokenizer is None:
            raise InputError("The model has no words yet. Make it with `tokens=`, or `fit` it first.")
        rows = self.tokenizer.ids(texts)
        for index, row in enumerate(rows):
            if not 1 <= len(row) <= self.max_length:
                raise InputError(
                    f"`texts` must have 1 to {self.max_length} words each; text {index} has {len(row)}. "
                    f"{'Shorten it.' if row else 'Leave it out.'}"
                )
        return pad_rows(rows)

    def probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """How probable class 1 is for each text, [N] float64.

        >>> model = ClassificationModel(16, max_length=4, num_lstm_units=2, tokens=["good", "bad"])
        >>> model.probabilities(["good", "not bad"]).shape
        (2,)
        """
        logits = self(self.ids(texts)).numpy()[:, 0].astype(np.float64)
        probabilities: np.ndarray = 1 / (1 + np.exp(-logits))
        return probabilities

    def record(self, texts: Sequence[str], labels: Sequence[int]) -> Batch:
        """The padded batch that the loss saw, with the dropout off: the logit of each timestep, as if it were read.

        `Settings(reduction="classification")` reads the last real one, which gives the number of `calculate_loss`.
        There is no pad id: the targets are labels in every timestep, and the lengths say where padding starts.

        Args:
            texts: B texts of 1 to `max_length` words.
            labels: B labels, 0 or 1.

        Returns:
            logits [B, T, 1], targets [B, T] (the label, repeated), lengths, inputs and the words of the inputs.

        Raises:
            InputError: if the labels are not one for each text, or `ids` refuses a text.

        >>> model = ClassificationModel(16, max_length=4, num_lstm_units=2, tokens=["good", "bad"])
        >>> batch = model.record(["good", "not bad"], [1, 1])
        >>> batch.lengths.tolist(), batch.inputs.tolist(), batch.targets.tolist()
        ([1, 2], [[2, 0], [1, 3]], [[1, 1], [1, 1]])
        """
        if len(labels) != len(texts):
            raise InputError(f"`labels` must be one for each of the {len(texts)} texts; got {len(labels)}.")
        ids = self.ids(texts)
        lstm_outputs, lengths = self.run_lstm(ids)
        return Batch.from_arrays(
            logits=self.logits_everywhere(lstm_outputs).numpy(),
            targets=np.repeat(np.asarray(labels)[:, None], ids.shape[1], axis=1),
            lengths=lengths.numpy(),
            inputs=ids,
            input_vocabulary=self.tokenizer.vocabulary if self.tokenizer else None,
        )

    def get_config(self) -> dict[str, Any]:
        """What Keras saves beside the weights: the constructor's arguments."""
        names = ("vocab_size", "max_length", "num_lstm_units", "backward_at")
        tokens = None if self.tokenizer is None else self.tokenizer.tokens
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "tokens": tokens}

    def _loss_of(self, ids: Any, labels: Any) -> tuple[Any, Any]:
        lstm_outputs, lengths = self.run_lstm(ids, training=True)
        batch_size = labels.shape[0]
        return self.calculate_loss(lstm_outputs, batch_size, lengths, labels), batch_size

    def _tokenizer(self, tokens: Sequence[str]) -> Tokenizer:
        if not 1 <= len(tokens) <= self.vocab_size - 2:
            raise InputError(
                f"`tokens` must be 1 to {self.vocab_size - 2} words, for ids 0 and 1 are padding and unknown words; "
                f"got {len(tokens)}. Make the model with `vocab_size={max(len(tokens), 1) + 2}`."
            )
        return Tokenizer(tokens, "words")
