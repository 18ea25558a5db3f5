"""The tokens and special ids of what a user calls the vocabulary: a list, or a Hugging Face tokenizer."""

from collections.abc import Iterable, Mapping
from typing import Any

from lossviz.errors import InputError
from lossviz.recording._settings import RecordingSettings

__all__ = ["special_ids", "vocabulary_tokens"]


def vocabulary_tokens(vocabulary: Any) -> list[str] | None:
    """The tokens in the order of their ids; ids that have none are called by their number.

    Raises:
        InputError: if it is neither a list of texts nor a tokenizer.

    >>> vocabulary_tokens(["a", "b"]), vocabulary_tokens({"a": 0, "c": 2})
    (['a', 'b'], ['a', '1', 'c'])
    """
    if vocabulary is None:
        return None
    given = vocabulary.get_vocab() if hasattr(vocabulary, "get_vocab") else vocabulary
    if isinstance(given, Mapping):
        words = {int(number): str(token) for token, number in given.items()}
        return [words.get(number, str(number)) for number in range(max(words, default=-1) + 1)]
    if isinstance(given, Iterable) and not isinstance(given, str | bytes):
        tokens = list(given)
        if all(isinstance(token, str) for token in tokens):
            return tokens
    raise InputError(
        f"`vocabulary` must be a list of strings in the order of their ids, or a tokenizer; got {type(given).__name__}."
    )


def special_ids(settings: RecordingSettings) -> dict[str, int | None]:
    """The pad id and the eos id: as given, else the tokenizer's.

    >>> special_ids(RecordingSettings(pad_id=0))
    {'pad_id': 0, 'eos_id': None}
    """
    tokenizer = settings.vocabulary
    ids = {}
    for name in ("pad_id", "eos_id"):
        own = getattr(tokenizer, name.replace("_id", "_token_id"), None)
        given = getattr(settings, name)
        ids[name] = given if given is not None else own
    return ids
