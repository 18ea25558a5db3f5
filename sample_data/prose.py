"""The text as sequences of characters, and its sentences parted into training, validation and test."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sample_data import alice

__all__ = ["CHARACTERS", "MAX_LENGTH", "Split", "pieces", "sentences", "split"]

MAX_LENGTH = 64  # timesteps that are trained on: the start and 63 characters
CHARACTERS = [chr(code) for code in range(ord(" "), ord("~") + 1)]
SEED = 1865
AT_A_CLAUSE = 36


class Split(NamedTuple):
    """Sequences of three sets of sentences, none of which is in two of them."""

    train: list[str]
    validation: list[str]
    test: list[str]


def sentences() -> list[str]:
    """Every sentence of the text once, as printed, in the order of the book.

    >>> sentences()[2]
    "The table was a large one, but the three were all crowded together at one corner of it: 'No room!"
    """
    text = re.sub(r"(?m)^CHAPTER .*$", "", alice.TEXT.read_text(encoding="utf-8"))
    return list(dict.fromkeys(alice.SENTENCE_END.split(" ".join(text.split()))))


def pieces(sentence: str) -> list[str]:
    """A sentence in parts of at most 63 characters, cut between words, and after a comma from character 36 on.

    >>> pieces("'I don't believe there's an atom of meaning in it, said the King; not one.'")
    ["'I don't believe there's an atom of meaning in it,", "said the King; not one.'"]
    """
    parts = [""]
    for word in sentence.split(" "):
        full = len(parts[-1]) + 1 + len(word) > MAX_LENGTH - 1
        if parts[-1] and (full or (len(parts[-1]) >= AT_A_CLAUSE and parts[-1][-1] in ",;:")):
            parts.append("")
        parts[-1] = f"{parts[-1]} {word}".strip()
    return parts


def split() -> Split:
    """Eight tenths of the sentences to train on, one to tune with, one to test on; a piece is in one set only."""
    every = sentences()
    order = np.random.default_rng(SEED).permutation(len(every))
    parts = np.array_split(order, [len(every) * 8 // 10, len(every) * 9 // 10])
    train, validation, test = ([piece for index in part for piece in pieces(every[index])] for part in parts)
    validation = _without(validation, train)
    return Split(train, validation, _without(test, [*train, *validation]))


def _without(texts: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [text for text in texts if text not in known]
