"""Batches after public bug reports, each with its right number in float64 NumPy: what `check` is asked about."""

import numpy as np

CLASSES, PAD, EOS, SEPARATOR = 40, 0, 1, 4


def logsumexp(scores):
    most = scores.max(-1, keepdims=True)
    return (most + np.log(np.exp(scores - most).sum(-1, keepdims=True)))[..., 0]


def cross_entropy(scores, targets):
    scores = np.asarray(scores, np.float64)
    return logsumexp(scores) - np.take_along_axis(scores, np.maximum(targets, 0)[..., None], -1)[..., 0]


def mean(losses, mask):
    return float(losses[np.asarray(mask, bool)].mean())


class Grammar:
    """A bigram grammar of 35 words, walks through it, and the scores of a model that knows it well."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.table = self.random.normal(0, 2, (CLASSES, CLASSES))
        self.table[:, :5] = -5

    def walk(self, count):
        tokens = [int(self.random.integers(5, CLASSES))]
        while len(tokens) < count:
            chances = np.exp(self.table[tokens[-1]]) * (np.arange(CLASSES) >= 5)
            tokens.append(int(self.random.choice(CLASSES, p=chances / chances.sum())))
        return tokens

    def scores(self, inputs, targets, end=EOS):
        found = self.table[inputs] + self.random.normal(0, 0.5, (*inputs.shape, CLASSES))
        found[:, :, end] += np.where(targets == end, 8, 0)
        return found.astype(np.float32)


def prompted(seed, *, left=False, width=21):
    """Tokens [B, T + 1] of prompts that end in a separator and answers that end in EOS, and the mask of the answers."""
    grammar = Grammar(seed)
    tokens, mask = np.full((4, width), PAD), np.zeros((4, width), bool)
    starts = np.zeros(4, int)
    for row, (prompt, answer) in enumerate([(6, 9), (9, 9), (4, 11), (5, 4)]):
        first = [3, *grammar.walk(prompt), SEPARATOR]
        all_ = [*first, *grammar.walk(answer), EOS]
        at = width - len(all_) if left else 0
        tokens[row, at : at + len(all_)] = all_
        mask[row, at + len(first) : at + len(all_)] = True
        starts[row] = len(first)
    return grammar, tokens, mask, starts


def prompt_mask(late, *, labels=False, seed=0):
    """B: the mask of the answers a timestep late (1) or early (−1), as weights or as labels of −100."""
    grammar, tokens, mask, _ = prompted(seed, width=22 if labels else 21)  # a full row's last label would be unknown
    targets, inputs, good = tokens[:, 1:], tokens[:, :-1], mask[:, 1:]
    wrong = mask[:, :-1] if late > 0 else np.pad(mask[:, 2:], ((0, 0), (0, 1)))
    logits = grammar.scores(inputs, targets)
    fields = {"logits": logits, "inputs": inputs, "pad_id": PAD, "eos_id": EOS}
    losses = cross_entropy(logits, targets)
    fields |= (
        {"targets": np.where(wrong, targets, -100), "ignore_id": -100}
        if labels
        else {"targets": targets, "weights": wrong.astype(int)}
    )
    return fields, mean(losses, good), mean(losses, wrong), good


def prompt_mask_of_hugging_face(late, seed=0):
    """The same as unshifted labels of −100 beside `input_ids` and `attention_mask`, without a pad id."""
    grammar, tokens, mask, _ = prompted(seed, width=22)
    nothing = np.zeros((4, 1), bool)
    wrong = np.hstack([nothing, mask[:, :-1]]) if late > 0 else np.hstack([mask[:, 1:], nothing])
    logits = grammar.scores(tokens, np.hstack([tokens[:, 1:], nothing]))
    fields = {"logits": logits, "labels": np.where(wrong, tokens, -100), "input_ids": tokens}
    right = mean(cross_entropy(logits[:, :-1], tokens[:, 1:]), mask[:, 1:])
    return fields | {"attention_mask": (tokens != PAD).astype(int)}, right


def second_shift(seed=0):
    """E: aligned targets, and the number of a loss that shifts once more."""
    grammar = Grammar(seed)
    tokens = np.array([grammar.walk(16) for _ in range(3)])
    targets, inputs = tokens[:, 1:], tokens[:, :-1]
    logits = grammar.scores(inputs, targets)
    again = cross_entropy(logits[:, :-1], targets[:, 1:]).mean()
    fields = {"logits": logits, "targets": targets, "inputs": inputs, "reported": f"{again:.6f}"}
    return fields, float(cross_entropy(logits, targets).mean())


def tags(seed=0, *, filler=0, pad=0, printed=True):
    """H: a tagger whose labels are padded with class 0, and whose inputs show it."""
    random = np.random.default_rng(seed)
    real = np.arange(12) < np.array([12, 9, 6, 4])[:, None]
    logits = random.normal(0, 1.5, (4, 12, 5))
    targets = np.where(real, random.choice(5, (4, 12), p=[0.6, 0.1, 0.1, 0.1, 0.1]), filler)
    inputs = np.where(real, random.integers(1, 90, (4, 12)), pad)
    losses = cross_entropy(logits, np.minimum(targets, 4))
    fields = {"logits": logits, "targets": targets, "inputs": inputs, "pad_id": pad}
    return fields, mean(losses, real), float(losses.mean()), real


def labels_as_mask(seed=0):
    """G3: one logit per timestep, and weights that are the labels."""
    random = np.random.default_rng(seed)
    real = np.arange(16) < np.array([16, 13, 9, 5])[:, None]
    labels = ((random.random((4, 16)) < 0.4) & real).astype(int)
    scores = np.where(labels == 1, 1.2, -1.0) + random.normal(0, 1, (4, 16))
    losses = np.logaddexp(0, scores) - scores * labels
    inputs = np.where(real, random.integers(1, 99, (4, 16)), 0)
    fields = {"logits": scores[..., None], "targets": labels, "weights": labels.astype(float), "inputs": inputs}
    return fields | {"pad_id": 0, "reported": f"{(losses * labels).sum() / labels.size:.6f}"}, mean(losses, real)


def packed_ends(seed=0):
    """J: documents in rows, each ended by the id that pads, and a mask that leaves out that id."""
    grammar = Grammar(seed)
    rows = [[*grammar.walk(8), 0, *grammar.walk(7), 0, *grammar.walk(6), 0]]
    rows += [[*grammar.walk(12), 0, *grammar.walk(8), 0], [*grammar.walk(15), 0]]
    tokens = np.zeros((3, 27), int)
    for row, document in enumerate(rows):
        tokens[row, : len(document)] = document
    targets, inputs = tokens[:, 1:], tokens[:, :-1]
    good = np.arange(26) < np.array([len(row) - 1 for row in rows])[:, None]
    logits = grammar.scores(inputs, targets, end=0)
    fields = {"logits": logits, "targets": targets, "inputs": inputs, "weights": (targets != 0).astype(int)}
    return fields | {"pad_id": 0, "eos_id": 0}, mean(cross_entropy(logits, targets), good), good


def leaking_prompts(seed=0):
    """K: left padding, and as many first columns masked as the prompt has tokens."""
    grammar, tokens, mask, starts = prompted(seed, left=True)
    columns = np.arange(tokens.shape[1])
    bad = (tokens != PAD) & (columns >= starts[:, None])
    targets, inputs = np.where(bad, tokens, -100)[:, 1:], tokens[:, :-1]
    logits = grammar.scores(inputs, tokens[:, 1:])
    fields = {"logits": logits, "targets": targets, "inputs": inputs, "pad_id": PAD, "eos_id": EOS, "ignore_id": -100}
    return fields, mean(cross_entropy(logits, tokens[:, 1:]), mask[:, 1:]), (bad & ~mask)[:, 1:]


def probabilities(seed=0):
    """F: what a Keras model returns that ends in a softmax, the targets, their losses and the mask."""
    random = np.random.default_rng(seed)
    real = np.arange(12) < np.array([12, 9, 6, 4])[:, None]
    scores = random.normal(0, 1.5, (4, 12, 5))
    shares = np.exp(scores - logsumexp(scores)[..., None])
    targets = np.where(real, random.choice(5, (4, 12), p=[0.6, 0.1, 0.1, 0.1, 0.1]), 0)
    return shares, targets, cross_entropy(scores, targets), real
