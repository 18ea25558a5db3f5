"""An encoder-decoder: bidirectional LSTM → LSTM with attention → logits, masked by the decoder's lengths.

Follows the "Calculating Loss" chapter of a seq2seq course; leaves out beam search.
"""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from lossviz.batch import Batch
from lossviz.engine import sequence_mask, softmax_loss
from lossviz.errors import InputError
from lossviz.models._encoder_decoder import EncoderDecoder
from lossviz.models._pairs import Pair, as_pairs, as_text, greedy_ids, pad_sources, sequences
from lossviz.models._saving import Saved
from lossviz.models._seq2seq_checks import check_batch_size, check_shapes, own_names
from lossviz.models._training import History, OnStep, Tokenizer, check_size, learn_tokens, train

__all__ = ["Seq2SeqModel"]

SPLIT = "words and digits"
ROWS, RATE = 64, 1e-2
AT_MOST = 32


@keras.saving.register_keras_serializable(package="lossviz")
class Seq2SeqModel(Saved, EncoderDecoder):
    """Reads one sequence and writes another; its loss is a sum over the decoder's real timesteps, per sequence.

    Ids: 0 is padding, 1 an unknown token, 2 … V-1 are tokens, where V = `vocab_size`; V is the start token and V + 1
    the stop token. Both sides share one vocabulary: words, and each digit and each hyphen for itself.

    Args:
        vocab_size: V, the number of ids without start and stop.
        num_lstm_layers: how many LSTM cells are stacked in the encoder, and in the decoder.
        num_lstm_units: H, the units of each encoder cell in each direction; a decoder cell has 2·H.
        tokens: the tokens from id 2 on, at most V - 2; None for those of the first corpus that `fit` gets.

    Attributes:
        extended_vocab_size: V + 2, the number of classes of the logits.

    Raises:
        InputError: if a size is not a whole number of at least 1, or the tokens are more than V - 2.

    >>> model = Seq2SeqModel(vocab_size=10, num_lstm_layers=1, num_lstm_units=4)
    >>> model.extended_vocab_size, model.make_training_tuple([7, 8])  # the start token is 10, the stop token 11
    (12, ([10, 7, 8], [7, 8, 11]))
    >>> model((tf.constant([[5, 6, 0]]), tf.constant([[10, 7, 8, 0]]))).shape
    TensorShape([1, 4, 12])
    """

    def __init__(
        self,
        vocab_size: int,
        num_lstm_layers: int,
        num_lstm_units: int,
        *,
        tokens: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(vocab_size, num_lstm_layers, num_lstm_units, **options)
        self.start_id, self.stop_id = self.vocab_size, self.vocab_size + 1
        self.tokenizer = None if tokens is None else self._tokenizer(tokens)

    def make_training_tuple(self, output_sequence: Sequence[int]) -> tuple[list[int], list[int]]:
        """The ground truth that the decoder reads (start + target), the final tokens that it must say (target + stop).

        >>> Seq2SeqModel(5, 1, 2).make_training_tuple([3])
        ([5, 3], [3, 6])
        """
        return [self.start_id, *output_sequence], [*output_sequence, self.stop_id]

    def calculate_loss(self, logits: Any, dec_seq_lens: Any, decoder_outputs: Any, batch_size: Any) -> Any:
        """Add up the cross entropy of every timestep before its sequence's end, and divide by the number of sequences.

        `tf.sequence_mask(dec_seq_lens)` is as wide as the largest length, which may be narrower than the logits; here
        the mask gets the logits' width.

        Args:
            logits: [B, T, V + 2] floats.
            dec_seq_lens: [B] integers in [0, T].
            decoder_outputs: [B, T] final tokens in [0, V + 2).
            batch_size: B, a whole number.

        Returns:
            The loss per sequence, a scalar in nats.

        Raises:
            InputError: if a shape does not fit, a length is outside [0, T], or a target outside [0, V + 2) counts.

        >>> logits = tf.zeros([2, 3, 4])  # ln 4 = 1.386 nats at each of the 3 timesteps that count, 2 sequences
        >>> loss = Seq2SeqModel(2, 1, 2).calculate_loss(logits, [2, 1], [[1, 3, 0], [3, 0, 0]], 2)
        >>> round(float(loss), 3)
        2.079
        """
        logits, dec_seq_lens = tf.convert_to_tensor(logits), tf.convert_to_tensor(dec_seq_lens)
        check_shapes(logits, dec_seq_lens, self.extended_vocab_size)
        with own_names(targets="decoder_outputs", lengths="dec_seq_lens"):
            binary_sequences = sequence_mask(dec_seq_lens, maxlen=tf.shape(logits)[1], dtype=tf.float32)
            unpadded_loss = softmax_loss(logits, decoder_outputs, binary_sequences)
        return tf.reduce_sum(unpadded_loss) / tf.cast(check_batch_size(batch_size), unpadded_loss.dtype)

    @property
    def vocabulary(self) -> list[str]:
        """The V + 2 tokens in the order of their ids; an id that no token has yet is called "<spare …>".

        >>> Seq2SeqModel(6, 1, 2, tokens=["2", "two"]).vocabulary
        ['<pad>', '<unk>', '2', 'two', '<spare 4>', '<spare 5>', '<start>', '<stop>']
        """
        known = self._known().vocabulary
        free = [f"<spare {index}>" for index in range(len(known), self.vocab_size)]
        return [*known, *free, "<start>", "<stop>"]

    def fit(self, corpus: Sequence[Pair], *, seed: int, steps: int, on_step: OnStep | None = None) -> History:
        """Train on (source, target) pairs, the ground truth read at every timestep ("teacher forcing").

        Args:
            corpus: the pairs; a vocabulary is learned from them if there is none yet.
            seed: the same weights, corpus and seed give the same weights again.
            steps: minibatches of 64 pairs.
            on_step: called with (done, total, mean loss in nats) after each step; an exception in it stops the
            training.

        Raises:
            InputError: if the corpus is empty, an entry is not two strings, or `steps` is below 1.
        """
        sources, targets = as_pairs("corpus", corpus)
        said = [target for target in targets if target is not None]
        if self.tokenizer is None:
            self.tokenizer = self._tokenizer(learn_tokens([*sources, *said], SPLIT, max(self.vocab_size - 2, 0)))
        arrays = sequences(self, self._ids(sources), self._ids(said))
        return train(self, self._loss_of, arrays, seed=seed, steps=steps, rows=ROWS, rate=RATE, on_step=on_step)

    def generate(self, texts: Sequence[str], at_most: int = AT_MOST) -> list[str]:
        """What the model writes for each source text: the likeliest token each time, up to the stop token.

        Args:
            texts: the sources.
            at_most: how many tokens to write where no stop token comes.

        Raises:
            InputError: if a text is not a string, the model has no tokens yet, or `at_most` is below 1.
        """
        if isinstance(texts, str):
            raise InputError("`texts` must be a list of strings; got one string. Pass `[text]`.")
        vocabulary = self.vocabulary
        return [as_text([vocabulary[index] for index in ids]) for ids in self._generate(texts, at_most)]

    def record(self, texts: Sequence[Pair | str], *, title: str | None = None) -> Batch:
        """The padded batch that the loss sees, with the dropout off.

        Args:
            texts: (source, target) pairs; for a source alone the target is what the model itself would write.
            title: a name for screens and files.

        Returns:
            logits [B, T, V + 2] float32, targets (the final tokens), inputs (the ground truth), lengths [B], the
            vocabulary, `pad_id` 0 and `eos_id`, the stop token.

        Raises:
            InputError: if there is no text, an entry is neither a pair nor a string, or the model has no tokens yet.
        """
        sources, targets = as_pairs("texts", texts, alone=True)
        given = self._ids([target or "" for target in targets])
        own = iter(self._generate([x for x, target in zip(sources, targets, strict=True) if target is None], AT_MOST))
        said = [next(own) if target is None else ids for target, ids in zip(targets, given, strict=True)]
        arrays = sequences(self, self._ids(sources), said)
        return Batch.from_arrays(
            logits=self((arrays.encoder_inputs, arrays.ground_truth)).numpy(),
            targets=arrays.final_tokens,
            inputs=arrays.ground_truth,
            lengths=arrays.lengths,
            vocabulary=self.vocabulary,
            pad_id=0,
            eos_id=self.stop_id,
            title=title,
        )

    def get_config(self) -> dict[str, Any]:
        """What Keras saves beside the weights: the constructor's arguments."""
        names = ("vocab_size", "num_lstm_layers", "num_lstm_units")
        tokens = None if self.tokenizer is None else self.tokenizer.tokens
        return {**super().get_config(), **{name: getattr(self, name) for name in names}, "tokens": tokens}

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        return self._known().ids(texts)

    def _known(self) -> Tokenizer:
        if self.tokenizer is None:
            raise InputError("The model has no tokens yet. Make it with `tokens=`, or `fit` it first.")
        return self.tokenizer

    def _generate(self, texts: Sequence[str], at_most: int) -> list[list[int]]:
        return greedy_ids(self, pad_sources(self._ids(texts)), check_size("at_most", at_most))

    def _loss_of(self, encoder_inputs: Any, ground_truth: Any, final_tokens: Any, lengths: Any) -> tuple[Any, Any]:
        logits = self((encoder_inputs, ground_truth), training=True)
        loss = self.calculate_loss(logits, lengths, final_tokens, lengths.shape[0])
        return loss, tf.reduce_mean(tf.cast(lengths, loss.dtype))  # timesteps per sequence, as the loss is one

    def _tokenizer(self, tokens: Sequence[str]) -> Tokenizer:
        if self.vocab_size < 2:
            raise InputError("`vocab_size` must be at least 2 to read texts: padding and the unknown token; got 1.")
        if len(tokens) > self.vocab_size - 2:
            raise InputError(
                f"`tokens` must be at most {self.vocab_size - 2}, for ids 0 and 1 are padding and unknown tokens; "
                f"got {len(tokens)}. Make the model with `vocab_size={len(tokens) + 2}`."
            )
        return Tokenizer(tokens, SPLIT)
