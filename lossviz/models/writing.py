"""What a model writes if nothing is forbidden: padding and the start token may be said, and no stop may come.

`generate` never says padding, which is right for users and hides what a wrong loss has taught.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from lossviz.models._language_text import BOS_ID, EOS_ID
from lossviz.models._pairs import pad_sources

__all__ = ["greedy_writer", "sampling_writer"]

Ids = list[list[int]]


def sampling_writer(model: Any) -> Callable[[np.ndarray], Ids]:
    """A function that draws texts from a `LanguageModel` at temperature 1: one token for each uniform number [N, T].

    Two models that are given the same numbers differ only where their probabilities do. The stop ends a text, and is
    its last id.

    >>> from lossviz.models import LanguageModel
    >>> write = sampling_writer(LanguageModel(9, 5, num_lstm_units=4, num_lstm_layers=1))
    >>> [[0 <= token < 9 for token in ids] for ids in write(np.array([[0.0], [0.999]]))]
    [[True], [True]]
    """
    cells = model.stacked_lstm_cells(is_training=False)

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def scores(tokens: Any, states: Any) -> tuple[Any, Any]:
        outputs, states = model.read_token(cells, tokens, states)
        return model.logits_layer(outputs), states

    def write(uniforms: np.ndarray) -> Ids:
        count, steps = uniforms.shape
        tokens, states = np.full(count, BOS_ID), cells.get_initial_state(count)
        said = np.zeros((count, 0), np.int64)
        for step in range(steps):
            logits, states = scores(tf.constant(tokens), states)
            tokens = _drawn(logits.numpy(), uniforms[:, step])
            said = np.column_stack([said, tokens])
        return [_up_to(EOS_ID, row) for row in said.tolist()]

    return write


def greedy_writer(model: Any) -> Callable[[Sequence[Sequence[int]], int], Ids]:
    """A function that writes the likeliest token each time with a `Seq2SeqModel`, for sources as ids, up to `at_most`.

    The stop ends a text, and is its last id.

    >>> from lossviz.models import Seq2SeqModel
    >>> write = greedy_writer(Seq2SeqModel(vocab_size=10, num_lstm_layers=1, num_lstm_units=4))
    >>> [len(ids) <= 3 for ids in write([[5, 6], [7]], 3)]
    [True, True]
    """
    decode = tf.function(model.decoder, autograph=False)

    def write(sources: Sequence[Sequence[int]], at_most: int) -> Ids:
        outputs, mask, state = model.encoder(tf.constant(pad_sources(sources)))
        read = np.full((len(sources), 1), model.start_id)
        said = np.zeros((len(sources), 0), np.int64)
        for _ in range(at_most):
            logits, state = decode((outputs, mask), state, tf.constant(read))
            read = logits.numpy().argmax(axis=-1)
            said = np.concatenate([said, read], axis=1)
        return [_up_to(model.stop_id, row) for row in said.tolist()]

    return write


def _drawn(logits: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
    """The first class whose cumulated probability lies above each uniform number."""
    scores = logits.astype(np.float64)
    chances = np.exp(scores - scores.max(axis=-1, keepdims=True)).cumsum(axis=-1)
    drawn: np.ndarray = (chances[:, :-1] <= uniforms[:, None] * chances[:, -1:]).sum(axis=-1)
    return drawn


def _up_to(stop: int, ids: list[int]) -> list[int]:
    return ids[: ids.index(stop) + 1] if stop in ids else ids
