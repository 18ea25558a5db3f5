"""The text as padded batches: three chapters, lower case, one sentence a sequence, a vocabulary of 640 ids."""

import re
from collections import Counter
from pathlib import Path

import numpy as np

TEXT = Path(__file__).with_name("alice.txt")
SPECIAL = ["<pad>", "<unk>", "<bos>", "<eos>"]
PAD, UNK, BOS, EOS = range(4)
VOCAB_SIZE = 640
MAX_LENGTH = 32
SENTENCE_END = re.compile(r"(?<=[.!?])['\")]*\s+(?=['\"(]*[A-Z])")
WORD = re.compile(r"[a-z]+(?:['-][a-z]+)*")

# The opening batch: eight sentences that the model was trained on.
SHOWN = [
    "then you should say what you mean the march hare went on",
    "why not said the march hare",
    "how do you like the queen said the cat in a low voice",
    "off with his head she said without even looking round",
    "a cat may look at a king said alice",
    "what fun said the gryphon half to itself half to alice",
    "tut tut child said the duchess",
    "i don't even know what a mock turtle is",
]
# Four that it was not.
KEPT_OUT = [
    "are their heads off shouted the queen",
    "i never saw one or heard of one said alice",
    "of course it was said the mock turtle",
    "and the moral of that is birds of a feather flock together",
]


def sentences() -> list[list[str]]:
    """Every sentence of 3 to 31 words, as words, in the order of the book."""
    text = re.sub(r"(?m)^CHAPTER .*$", "", TEXT.read_text(encoding="utf-8"))
    words = [WORD.findall(sentence.lower()) for sentence in SENTENCE_END.split(" ".join(text.split()))]
    return [sentence for sentence in words if 3 <= len(sentence) < MAX_LENGTH]


def vocabulary() -> list[str]:
    """The four special tokens and the most frequent words, ties in the order of the alphabet."""
    counts = Counter(word for sentence in sentences() for word in sentence)
    ranked = sorted(counts, key=lambda word: (-counts[word], word))
    return [*SPECIAL, *ranked[: VOCAB_SIZE - len(SPECIAL)]]


def pad(batch: list[list[str]], width: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs and targets [B, T] of sentences: `<bos> w1 … wn` must predict `w1 … wn <eos>`; the rest is 0.

    Args:
        batch: sentences of at most `width` - 1 words.
        width: T.
    """
    ids = {word: index for index, word in enumerate(vocabulary())}
    inputs, targets = np.zeros((2, len(batch), width), np.int64)
    for row, sentence in enumerate(batch):
        tokens = [ids.get(word, UNK) for word in sentence]
        inputs[row, : len(tokens) + 1] = [BOS, *tokens]
        targets[row, : len(tokens) + 1] = [*tokens, EOS]
    return inputs, targets
