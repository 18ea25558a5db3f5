"""Shared by the models: the training loop, and Keras' own text layers with NumPy in and out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from lossviz.errors import InputError, not_one_of

__all__ = [
    "History",
    "OnStep",
    "Tokenizer",
    "check_size",
    "learn_tokens",
    "minibatches",
    "pad_rows",
    "set_seed",
    "train",
    "training_step",
]

PAD, UNKNOWN = "<pad>", "<unk>"
CLIP_NORM = 5.0
OnStep = Callable[[int, int, float], object]  # done, total, loss


@dataclass(frozen=True)
class History:
    """What `fit` gives back.

    Attributes:
        losses: for each step, the mean loss of its minibatch in nats, with dropout on.

    >>> History((2.0, 1.0, 0.5)).mean_of_last(2)
    0.75
    """

    losses: tuple[float, ...]

    def mean_of_last(self, steps: int) -> float:
        """The mean of the last losses, in nats; NaN if there are none."""
        return float(np.mean(self.losses[-steps:])) if self.losses else float("nan")


def set_seed(seed: int) -> None:
    """Fix every seed of Python, NumPy and TensorFlow, so that a model made next starts from the same weights.

    Raises:
        InputError: if the seed is not a whole number in [0, 2³²).
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or not 0 <= seed < 2**32:
        raise InputError(f"`seed` must be a whole number in [0, 2³²); got {seed!r}.")
    keras.utils.set_random_seed(seed)


def train(
    model: Any,
    loss_of: Callable[..., tuple[Any, Any]],
    arrays: Sequence[np.ndarray],
    *,
    seed: int,
    steps: int,
    rows: int = 16,
    rate: float = 1e-2,
    on_step: OnStep | None = None,
) -> History:
    """Minimise a loss with Adam: the gradient clipped to norm 5, the rate falling to 0 along a cosine.

    The same weights, arrays and seed give the same weights again. An exception that `on_step` raises stops the training
    and reaches the caller; the model keeps the weights of the steps done.

    Args:
        model: a Keras model, trained in place; its dropout is seeded anew.
        loss_of: called with the chosen rows of each array, in a `tf.function`; returns the loss to minimise and how
            many terms it adds up (`on_step` gets the first divided by the second).
        arrays: each [N, …], the same N.
        seed: for the order of the rows and the dropout.
        steps: how many minibatches are read.
        rows: the rows of a minibatch; all of them if there are fewer.
        rate: the learning rate at the start.
        on_step: called with (done, total, mean loss in nats) after each step.

    Raises:
        InputError: if there is no row, or `steps` or `rows` is not a whole number of at least 1.
    """
    check_size("steps", steps)
    check_size("rows", rows)
    set_seed(seed)
    tf.config.experimental.enable_op_determinism()  # one order of sums; can't be turned off again in this process
    _seed_dropout(model, seed)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps), global_clipnorm=CLIP_NORM)
    optimizer.build(model.trainable_variables)  # else the first step would be traced twice
    step = tf.function(training_step(model, optimizer, loss_of), autograph=False)
    losses: list[float] = []
    for chosen in minibatches(len(arrays[0]), rows, steps, seed):
        losses.append(float(step(*(tf.constant(array[chosen]) for array in arrays))))
        if on_step is not None:
            on_step(len(losses), steps, losses[-1])
    return History(tuple(losses))


def training_step(model: Any, optimizer: Any, loss_of: Callable[..., tuple[Any, Any]]) -> Callable[..., Any]:
    """One step on the rows of each array: the loss is minimised, and returned divided by its number of terms."""

    def step(*arrays: Any) -> Any:
        with tf.GradientTape() as tape:
            loss, terms = loss_of(*arrays)
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return loss / tf.cast(terms, loss.dtype)

    return step


def minibatches(count: int, rows: int, steps: int, seed: int) -> Iterator[np.ndarray]:
    """Row numbers, every minibatch of the same size, so that the step is traced once; a smaller last one is dropped."""
    if count == 0:
        raise InputError("`corpus` must hold at least one text to train on; got none.")
    random, rows = np.random.default_rng(seed), min(rows, count)
    order = np.zeros(0, np.int64)
    for _ in range(steps):
        if len(order) < rows:
            order = random.permutation(count)
        chosen, order = order[:rows], order[rows:]
        yield chosen


def _seed_dropout(model: Any, seed: int) -> None:
    states = [variable for variable in model.variables if "seed_generator_state" in variable.path]
    for index, state in enumerate(states):
        state.assign(np.array([seed, index], np.uint32))


class Tokenizer:
    """Texts to ids and back, with Keras' TextVectorization: id 0 is padding, 1 an unknown token, then the given ones.

    Args:
        tokens: the tokens in the order of their ids, from id 2 on.
        split: "words" (lower case; letters and digits, with ' and - inside), "words and digits" (lower case; words, and
            each digit and each - by itself) or "characters" (unchanged).

    >>> tokenizer = Tokenizer(["the", "hare"], "words")
    >>> tokenizer.vocabulary
    ['<pad>', '<unk>', 'the', 'hare']
    >>> tokenizer.ids(["The March Hare."]), tokenizer.text([2, 3, 0])
    ([[2, 1, 3]], 'the hare')
    """

    def __init__(self, tokens: Sequence[str], split: str) -> None:
        self.tokens, self.split = list(tokens), split
        self._layer = _vectorization(split, vocabulary=self.tokens)

    @property
    def vocabulary(self) -> list[str]:
        """Every token in the order of the ids, padding and the unknown token first."""
        return [PAD, UNKNOWN, *self.tokens]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """The ids of each text, without padding, start or stop.

        Raises:
            InputError: if a text is not a string.
        """
        rows: list[list[int]] = self._layer(_strings(texts)).to_list() if len(texts) else []
        return rows

    def text(self, ids: Sequence[int]) -> str:
        """The tokens of ids in one string, padding left out."""
        vocabulary = self.vocabulary
        return ("" if self.split == "characters" else " ").join(vocabulary[index] for index in ids if index)


def learn_tokens(texts: Sequence[str], split: str, at_most: int | None = None) -> list[str]:
    """The tokens of a corpus, the most frequent first, ties in alphabetical order.

    Args:
        texts: the training texts.
        split: as in `Tokenizer`.
        at_most: how many to keep; all of them by default.

    >>> learn_tokens(["the cat and the dog", "the dog"], "words", at_most=3)
    ['the', 'dog', 'and']
    """
    layer, strings = _vectorization(split), _strings(texts)
    layer.adapt(strings)
    found = layer.get_vocabulary(include_special_tokens=False)
    if not found:  # a layer without a vocabulary can't be called
        return []
    counts = np.bincount(layer(strings).flat_values.numpy())
    ranked = sorted(range(len(found)), key=lambda index: (-counts[index + 2], found[index]))
    return [str(found[index]) for index in ranked[:at_most]]


def pad_rows(rows: Sequence[Sequence[int]], width: int | None = None) -> np.ndarray:
    """Ids [B, T] of rows of any length, filled up with 0; T is the longest row unless given.

    >>> pad_rows([[5, 6], [7]], 3)
    array([[5, 6, 0],
           [7, 0, 0]])
    """
    ids = np.zeros((len(rows), max(map(len, rows), default=0) if width is None else width), np.int64)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = row
    return ids


def check_size(name: str, size: Any) -> int:
    """The size as an int.

    Raises:
        InputError: if it is not a whole number of at least 1.
    """
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise InputError(f"`{name}` must be a whole number of at least 1; got {size!r}.")
    return int(size)


def _strings(texts: Sequence[str]) -> Any:
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"Text {index} must be a string; got a {type(text).__name__}.")
    return tf.constant([text.encode("utf-8", "replace") for text in texts], tf.string)


def _vectorization(split: str, **more: Any) -> Any:
    standardizers = {"words": _words, "words and digits": _words_and_digits, "characters": None}
    if split not in standardizers:
        raise InputError(not_one_of("split", split, standardizers))
    cut = "character" if split == "characters" else "whitespace"
    return keras.layers.TextVectorization(standardize=standardizers[split], split=cut, ragged=True, **more)


def _words(texts: Any) -> Any:
    texts = tf.strings.lower(tf.strings.regex_replace(texts, "’", "'"), encoding="utf-8")
    texts = tf.strings.regex_replace(texts, r"--+|[^\p{L}\p{M}\p{N}'-]", " ")
    for _ in range(2):  # twice, since a match consumes the space that the next one would need
        texts = tf.strings.regex_replace(texts, r"(^|\s)['-]+|['-]+(\s|$)", " ")
    return texts


def _words_and_digits(texts: Any) -> Any:
    texts = tf.strings.regex_replace(tf.strings.lower(texts, encoding="utf-8"), r"[^\p{L}\p{M}\p{N}-]", " ")
    return tf.strings.regex_replace(texts, r"(\p{N}|-)", r" \1 ")
