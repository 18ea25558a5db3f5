"""Source and target texts as the ids that an encoder-decoder reads and must predict, and back by greedy decoding."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lossviz.errors import InputError
from lossviz.models._training import pad_rows

__all__ = ["Pair", "Sequences", "as_pairs", "as_text", "greedy_ids", "pad_sources", "sequences"]

Pair = tuple[str, str]  # source, target


class Sequences(NamedTuple):
    """Padded ids: what the encoder reads [B, S], what the decoder reads and predicts [B, T], and its lengths [B]."""

    encoder_inputs: np.ndarray
    ground_truth: np.ndarray
    final_tokens: np.ndarray
    lengths: np.ndarray


def as_pairs(name: str, texts: Sequence[Pair | str], *, alone: bool = False) -> tuple[list[str], list[str | None]]:
    """The sources and the targets of pairs; a source alone has the target None.

    Args:
        name: what the caller calls the texts.
        texts: (source, target) pairs.
        alone: whether a source may come without a target.

    Raises:
        InputError: if there is no text, or an entry is neither.

    >>> as_pairs("texts", [("May 1998", "1998-05"), "June 1998"], alone=True)
    (['May 1998', 'June 1998'], ['1998-05', None])
    """
    wanted = f"`{name}` must hold pairs of strings, (source, target)" + ", or sources" * alone
    if isinstance(texts, str):
        raise InputError(f"{wanted}; got one string. Pass a list.")
    if not len(texts):
        raise InputError(f"`{name}` must hold at least one text{'' if alone else ' to train on'}; got none.")
    pairs: list[Any] = [(entry, None) if alone and isinstance(entry, str) else entry for entry in texts]
    for place, entry in enumerate(pairs):
        if not _is_pair(entry, alone):
            raise InputError(f"{wanted}; entry {place} is {entry!r}.")
    return [source for source, _ in pairs], [target for _, target in pairs]


def _is_pair(entry: Any, alone: bool) -> bool:
    if not isinstance(entry, tuple | list) or len(entry) != 2:
        return False
    source, target = entry
    return isinstance(source, str) and (isinstance(target, str) or (alone and target is None))


def sequences(model: Any, sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Sequences:
    """The ids of sources and targets, with start and stop tokens, padded with 0."""
    tuples = [model.make_training_tuple(target) for target in targets]
    return Sequences(
        pad_sources(sources),
        pad_rows([ground_truth for ground_truth, _ in tuples]),
        pad_rows([final_tokens for _, final_tokens in tuples]),
        np.array([len(final_tokens) for _, final_tokens in tuples], np.int64),
    )


def pad_sources(sources: Sequence[Sequence[int]]) -> np.ndarray:
    """Ids [B, S], S at least 2: Keras warns of attention to a single timestep."""
    return pad_rows(sources, max([2, *map(len, sources)]))


def greedy_ids(model: Any, encoder_inputs: np.ndarray, at_most: int) -> list[list[int]]:
    """Greedily decoded ids, up to the stop token, which is left out, or to `at_most` ids.

    Padding and the start token are never chosen.
    """
    if len(encoder_inputs) == 0:
        return []
    outputs, mask, state = model.encoder(tf.constant(encoder_inputs))
    read = np.full((len(encoder_inputs), 1), model.start_id)
    said = np.zeros((len(encoder_inputs), 0), np.int64)
    while said.shape[1] < at_most and not np.all((said == model.stop_id).any(axis=1)):
        logits, state = model.decoder((outputs, mask), state, tf.constant(read))
        scores = logits.numpy()
        scores[..., [0, model.start_id]] = -np.inf
        read = scores.argmax(axis=-1)
        said = np.concatenate([said, read], axis=1)
    return [_before(model.stop_id, row.tolist()) for row in said]


def as_text(tokens: Sequence[str]) -> str:
    """Tokens as one string, without spaces between digits and hyphens.

    >>> as_text(["1", "9", "9", "8", "-", "0", "5"]), as_text(["may", "3", "1", "st"])
    ('1998-05', 'may 31 st')
    """
    return re.sub(r"(?<=[\d-]) (?=[\d-])", "", " ".join(tokens))


def _before(stop: int, ids: list[int]) -> list[int]:
    return ids[: ids.index(stop)] if stop in ids else ids
