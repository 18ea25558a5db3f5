"""Documents to train on, and a model of them: what the pipelines of `tests/rules/pipelines.py` begin and end with.

The documents are Alice's words or letters, sums, genomes, and languages with Zipf's law. The model counts what follows
what, under whatever inputs, targets and mask a pipeline gives it: a pipeline with a bug trains a model with that bug.
"""

import re
from functools import cache
from typing import NamedTuple

import numpy as np

from lossviz.samples import sample_folder

Array = np.ndarray
Random = np.random.Generator
DOCUMENTS = 300
BUCKETS = 256
"""Contexts are hashed to so many rows of counts."""


class Corpus(NamedTuple):
    """Documents of word ids 0 … words − 1, the commonest first."""

    documents: tuple[Array, ...]
    words: int


def numbered(documents: list[list[str]], most: int = 10**6) -> Corpus:
    """The ids of the tokens by frequency; those beyond `most` share the last id."""
    tokens, counts = np.unique([token for document in documents for token in document], return_counts=True)
    id_of = {token: min(rank, most - 1) for rank, token in enumerate(tokens[np.argsort(-counts, kind="stable")])}
    ids = tuple(np.array([id_of[token] for token in document]) for document in documents if len(document) > 1)
    return Corpus(ids, min(most, len(tokens)))


def alice(most: int) -> Corpus:
    """Sentences of words."""
    sentences = re.split(r"(?<=[.!?])", (sample_folder() / "alice.txt").read_text())
    return numbered([re.findall(r"\w+|[^\w\s]", sentence.lower()) for sentence in sentences], most)


def letters() -> Corpus:
    """Lines of letters."""
    return numbered([list(line) for line in (sample_folder() / "alice.txt").read_text().splitlines() if line])


def sums(random: Random) -> Corpus:
    """12+7=19: what stands after = is certain, what stands before is not."""
    pairs = random.integers(0, 10 ** random.integers(1, 4, (DOCUMENTS, 2)))
    return numbered([list(f"{a}+{b}={a + b}") for a, b in pairs])


def genomes(random: Random) -> Corpus:
    """Four letters, with a motif that comes back."""
    motif = random.integers(0, 4, 12)
    of = [np.concatenate([random.integers(0, 4, random.integers(1, 20)), motif]) for _ in range(200)]
    chosen = [random.integers(0, 200, random.integers(1, 9)) for _ in range(DOCUMENTS)]
    return Corpus(tuple(np.concatenate([of[i] for i in some])[:200] for some in chosen), 4)


def zipf(random: Random, words: int, longest: int) -> Corpus:
    """Each word has a few successors, common words more often than rare ones."""
    often = 1 / (1 + np.arange(words)) ** random.uniform(0.5, 1.2)
    following = random.choice(words, (words, int(random.integers(2, 12))), p=often / often.sum())
    likely = random.dirichlet(np.full(following.shape[1], random.uniform(0.3, 2)), words).cumsum(axis=1)
    lengths = np.clip(random.lognormal(np.log(longest / 3), 0.6, DOCUMENTS), 2, longest).astype(int)
    steps = [random.integers(0, words, DOCUMENTS)]
    for _ in range(longest - 1):
        choice = (random.random((DOCUMENTS, 1)) > likely[steps[-1]]).sum(axis=1).clip(0, following.shape[1] - 1)
        steps.append(following[steps[-1], choice])
    return Corpus(tuple(row[:n] for row, n in zip(np.stack(steps, axis=1), lengths, strict=True)), words)


@cache
def corpus(number: int) -> Corpus:
    """One of the corpora, always the same for a number."""
    random = np.random.default_rng([17, number])
    drawn = [
        lambda: alice(int(random.choice([100, 400, 1000, 5000]))),
        letters,
        lambda: sums(random),
        lambda: genomes(random),
        lambda: zipf(random, int(2 ** random.uniform(1.6, 12.2)), int(2 ** random.uniform(2, 7))),
        lambda: zipf(random, int(2 ** random.uniform(3, 8)), int(2 ** random.uniform(3, 6))),
    ]
    return drawn[number % len(drawn)]()


class Model:
    """Logits from counts of the targets after each context, more or less trained.

    A context is what is read now, before, and where the model looks both ways, next.
    """

    def __init__(self, random: Random, classes: int, both_ways: bool) -> None:
        self.lags = (0, 1, -1) if both_ways else (0, 1)
        self.counts = np.zeros((len(self.lags), BUCKETS, classes), "f4")
        self.first = random.normal(size=(BUCKETS, 8)).astype("f4"), random.normal(size=(8, classes)).astype("f4") / 3
        self.drift = random.normal(0, 2, BUCKETS).astype("f4")

    def contexts(self, inputs: Array) -> Array:
        """[lags, B, T] rows of counts."""
        wide = np.pad(inputs, ((0, 0), (1, 1)), constant_values=1)
        stop = wide.shape[1] - 1
        return np.stack([wide[:, 1 - lag : stop - lag] for lag in self.lags]) * 31 % BUCKETS

    def fit(self, inputs: Array, targets: Array, counts: Array) -> None:
        """Learn from what counts."""
        counts = counts & (targets >= 0) & (targets < self.counts.shape[2])
        for table, contexts in zip(self.counts, self.contexts(inputs), strict=True):
            np.add.at(table, (contexts[counts], targets[counts]), 1)

    def logits(self, inputs: Array, progress: float, noise: float) -> Array:
        """[B, T, V]: the product of what the contexts say, `progress` of the way from the first weights."""
        often = self.counts[0].sum(axis=0) + 0.02
        often /= often.sum()
        contexts = self.contexts(inputs)
        known = np.log(often)
        for table, rows in zip(self.counts, contexts, strict=True):
            scores = (table + 2 * often) / (table.sum(axis=1, keepdims=True) + 2)
            known = known + (np.log(scores) - np.log(often))[rows]
        start = (self.first[0][contexts[0]] @ self.first[1]) * noise
        return (progress * known + start + self.drift[contexts[0]][..., None]).astype("f4")
