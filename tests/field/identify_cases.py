"""Small batches after public bug reports, each with the number that its loop printed and what is right of it.

The kinds of docs/field-reports.md. Every number is derived here, in float64 NumPy, from the logits alone.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

CLASSES = 40
IGNORED = -100


class Report(NamedTuple):
    """What a person has and what is right.

    Attributes:
        name: of the case; its first letter is the kind.
        number: what the loop printed.
        code: the first code that `identify` must give, with the others of a combination after " + ".
        says: what its explanation must hold.
        fields: of the file.
        options: what the person says.
    """

    name: str
    number: float
    code: str
    says: str
    fields: dict[str, Any]
    options: dict[str, Any]


Made = Callable[[np.random.Generator], Iterator[Report]]


def logsumexp(scores):
    most = scores.max(-1, keepdims=True)
    return (most + np.log(np.exp(scores - most).sum(-1, keepdims=True)))[..., 0]


def cross_entropy(scores, targets):
    scores = np.asarray(scores, np.float64)
    return logsumexp(scores) - np.take_along_axis(scores, np.maximum(targets, 0)[..., None], -1)[..., 0]


class Text:
    """A bigram grammar over the tokens 5 to 39, sequences of it, and the noisy logits of a model that knows it."""

    def __init__(self, random):
        self.random = random
        self.grammar = random.normal(0, 2, (CLASSES, CLASSES))
        self.grammar[:, :5] = -5

    def walk(self, length):
        tokens = [int(self.random.integers(5, CLASSES))]
        while len(tokens) < length:
            chances = np.exp(self.grammar[tokens[-1]])
            chances[:5] = 0
            tokens.append(int(self.random.choice(CLASSES, p=chances / chances.sum())))
        return tokens

    def rows(self, count, length):
        return np.array([self.walk(length) for _ in range(count)])

    def scores(self, ids):
        return (self.grammar[ids] + self.random.normal(0, 0.5, (*ids.shape, CLASSES))).astype(np.float32)


def mean(losses, mask):
    return (losses * mask).sum() / mask.sum()


def report(name, number, code, says, fields, **options):
    return Report(name, float(number), code, says, fields, options)


def hugging_face(random):
    """A: unshifted labels with −100, the loop is right in every line."""
    text = Text(random)
    lengths = np.array([24, 15, 20, 9])
    ids = text.rows(4, 24)
    real = np.arange(24) < lengths[:, None]
    fields = {"logits": text.scores(ids), "labels": np.where(real, ids, IGNORED), "input_ids": np.where(real, ids, 0)}
    z = fields["logits"][:, :-1].astype(float)
    losses, mask = cross_entropy(z, ids[:, 1:]), real[:, 1:]
    total, count = (losses * mask).sum(), mask.sum()
    means = (losses * mask).sum(1) / mask.sum(1)
    smoothed = 0.9 * losses + 0.1 * (logsumexp(z)[..., None] - z).mean(-1)
    halves = [(losses * mask)[rows].sum() / mask[rows].sum() for rows in (slice(2), slice(2, 4))]
    for name, number, code, says, options in (
        ("mean", total / count, "C03", "divides by the 64 timesteps that count", {}),
        ("sequence means", means.mean(), "C07", "averages the losses of each sequence", {}),
        ("perplexity", np.exp(total / count), "C12", "e to the power of that", {}),
        ("all positions", total / mask.size, "C05", "all 92 positions, 28 of them padding", {}),
        ("wider rows", total / (4 * 24), "C05p", "B · (T + 1) = 96", {}),
        ("smoothing", mean(smoothed, mask), "LS1", "smooths the labels with ε = 0.1", {"smoothing": 0.1}),
        ("smoothing, unsaid", mean(smoothed, mask), "LS1", "smooths the labels with ε = 0.1", {}),
        ("items before the shift", total / (count + 4), "C14", "the first label of 4 sequences", {}),
        ("accumulation", np.mean(halves), "C18o", "2, the micro-batches", {"accumulation_steps": 2}),
    ):
        yield report(f"A {name}", number, code, says, fields, **options)
    items = {**fields, "num_items_in_batch": np.array(150)}
    yield report("A items of the step", total / 150, "C14n", "num_items_in_batch = 150, while 64 of them", items)
    copied = {"logits": fields["logits"], "targets": fields["input_ids"], "inputs": fields["input_ids"]}
    unread = {**copied, "targets": fields["labels"], "ignore_id": IGNORED}
    yield report("A copied, sequence means", means.mean(), "C07", "averages the losses of each sequence", unread)
    nothing = {**copied, "targets": np.full((4, 24), IGNORED)}
    yield report("A nothing trained", 0.0, "PAD11", "every label is -100", nothing)


def moved_masks(random):
    """B: the mask of an answer after a prompt, one timestep late or early."""
    text = Text(random)
    prompts = [[3, *text.walk(n), 4] for n in (6, 9, 4)]
    answers = [[*text.walk(n), 1] for n in (9, 5, 11)]
    tokens, mask = np.zeros((3, 20), int), np.zeros((3, 20))
    for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
        tokens[row, : len(prompt + answer)] = prompt + answer
        mask[row, len(prompt) : len(prompt + answer)] = 1
    z, targets = text.scores(tokens[:, :-1]), tokens[:, 1:]
    losses, good = cross_entropy(z, targets), mask[:, 1:]
    early = np.pad(good, ((0, 0), (0, 1)))[:, 1:]
    fields = {"logits": z, "targets": targets, "inputs": tokens[:, :-1], "pad_id": 0, "eos_id": 1, "weights": good}
    yield report("B late", mean(losses, mask[:, :-1]), "SHF05", "the mask one timestep too late", fields)
    yield report("B early", mean(losses, early), "SHF05", "the mask one timestep too early", fields)


def partitions(random):
    """C: parts that are not rows."""
    text = Text(random)
    tokens = text.rows(4, 33)
    targets, z = tokens[:, 1:].copy(), text.scores(tokens[:, :-1])
    for row, prompt in enumerate((10, 12, 5, 9)):
        targets[row, :prompt] = IGNORED
    losses, mask = cross_entropy(z, targets), targets != IGNORED
    fields = {"logits": z, "targets": targets, "ignore_id": IGNORED}

    def means(parts):
        return [mean(losses.ravel()[part], mask.ravel()[part]) for part in parts]

    for size in (8, 16, 64):
        parts = [part for part in np.split(np.arange(128), range(size, 128, size)) if mask.ravel()[part].any()]
        code, says = "RED02", f"adds up the means of {128 // size} chunks of {size} of the flat timesteps"
        if size == 64:
            code, says = "RED02", "adds up the means of 2 micro-batches"
        yield report(f"C chunks of {size}", sum(means(parts)), code, says, fields)
    counted = np.flatnonzero(mask)
    chunks = [counted[start : start + 32] for start in range(0, len(counted), 32)]
    yield report("C chunks of what counts", np.mean(means(chunks)), "RED01", "(of those that count)", fields)
    quarters = np.repeat([0, 1, 1, 0], 8)
    ranks = [np.flatnonzero(np.broadcast_to(quarters == rank, (4, 32))) for rank in (0, 1)]
    zigzag = "2 ranks of context parallelism (rank r holds pieces r and 3 − r of 4)"
    yield report("C zigzag", np.mean(means(ranks)), "RED03", zigzag, fields, world_size=2)
    yield report("C zigzag, unsaid", np.mean(means(ranks)), "RED03", zigzag, fields)
    early = np.zeros((4, 32), int)
    early[:, 1:8] = 1
    empty = {"logits": z, "targets": tokens[:, 1:], "weights": early}
    yield report("C empty ranks", np.nan, "RED03", "nothing counts in chunks 1 to 3", empty, world_size=4)
    document = np.repeat([0, 1, 2], [18, 5, 9])
    packed = tokens[:1, 1:].copy()
    packed[0, [17, 22]] = IGNORED
    one = cross_entropy(z[:1], packed)
    each = np.mean([mean(one[0][document == d], packed[0][document == d] != IGNORED) for d in range(3)])
    row = {"logits": z[:1], "targets": packed, "segment_ids": document[None], "ignore_id": IGNORED}
    yield report("C documents", each, "C07", "averages the 3 means", row)
    last = (losses * mask)[2:].sum() / mask.sum()
    yield report("C share", last, "RED17", "the last of 2 micro-batches", fields, accumulation_steps=2)
    yield report("C share, unsaid", last, "RED17", "the last of 2 micro-batches", fields)
    each_row = ((losses * mask).sum(1) / mask.sum(1)).sum()
    yield report("C as many steps as sequences", each_row, "RED02", "adds up the means of 4 micro-batches", fields)


def other_logits(random):
    """D: the loss of logits that are not the recorded ones, and minus the mean."""
    text = Text(random)
    tokens = text.rows(3, 21)
    z, y = text.scores(tokens[:, :-1]).astype(float), tokens[:, 1:]
    fields = {"logits": z, "targets": y}
    for words, scale in (("× 2", 2), ("× 0.5", 0.5), ("× 0.0625", 1 / 16), ("÷ 0.7, a temperature", 1 / 0.7)):
        yield report(f"D logits {words}", cross_entropy(scale * z, y).mean(), "MOD10", f"the logits {words}", fields)
    for cap, sure in ((10, 1), (30, 2), (100, 5)):
        x = sure * z
        capped, whole = ({"logits": one, "targets": y} for one in (cap * np.tanh(x / cap), x))
        before, after = (cross_entropy(one["logits"], y).mean() for one in (whole, capped))
        yield report(f"D before a cap of {cap}", before, "MOD10", f"before a soft cap of {cap};", capped)
        yield report(f"D after a cap of {cap}", after, "MOD10", f"after a soft cap of {cap},", whole)
    yield report("D minus the mean", -cross_entropy(z, y).mean(), "C03", "a log-probability", fields)
    warm = np.exp(cross_entropy(2 * z, y).mean())
    yield report("D perplexity of logits × 2", warm, "MOD10 + C12", "e to the power of the loss", fields)


def second_shift(random):
    """E: aligned labels, shifted once more."""
    text = Text(random)
    tokens = text.rows(3, 16)
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    z = text.scores(inputs)
    again = cross_entropy(z[:, :-1], targets[:, 1:]).mean()
    fields = {"logits": z, "targets": targets, "inputs": inputs}
    yield report("E second shift", again, "SHF02", "although the logits fit the targets as they are: it", fields)


def probabilities(random):
    """F: probabilities and one-hot targets, rows of zeros are padding."""
    lengths = np.array([12, 9, 6, 4])
    mask = np.arange(12) < lengths[:, None]
    z = random.normal(0, 1.5, (4, 12, 5))
    p = np.exp(z - logsumexp(z)[..., None])
    y = np.where(mask, random.choice(5, (4, 12), p=[0.6, 0.1, 0.1, 0.1, 0.1]), 0)
    losses = cross_entropy(z, y)
    fields = {"logits": p, "targets": y, "lengths": lengths}
    yield report("F probabilities", mean(losses, mask), "C03", "the 31 timesteps that count", fields)
    yield report("F divided by padding", (losses * mask).sum() / 48, "C05", "all 48 positions, 17 of them", fields)
    one_hot = {"logits": z, "targets": np.eye(5)[y] * mask[..., None]}
    yield report("F one-hot", mean(losses, mask), "C03", "the 31 timesteps that count", one_hot)
    is_target = np.eye(5)[y]
    binary = -(is_target * np.log(p) + (1 - is_target) * np.log(1 - p))
    full = {"logits": z, "targets": y, "lengths": [12] * 4}
    yield report("F binary over the classes", binary.mean(), "MOD09", "with the probabilities of a softmax", full)
    sigmoids = (np.logaddexp(0, z) - z * is_target).mean()
    yield report("F sigmoid of each class", sigmoids, "MOD09", "with a sigmoid of each logit", full)


def one_logit(random):
    """G: one logit per timestep, a label of every timestep."""
    lengths = np.array([16, 13, 9, 5])
    mask = np.arange(16) < lengths[:, None]
    y = ((random.random((4, 16)) < 0.4) & mask).astype(int)
    z = np.where(y == 1, 1.2, -1.0) + random.normal(0, 1, (4, 16))
    losses = np.logaddexp(0, z) - z * y
    fields = {"logits": z[..., None], "targets": y, "lengths": lengths}
    yield report("G mean", mean(losses, mask), "C03", "the 43 timesteps that count", fields)
    yield report("G everything", losses.mean(), "PAD01", "all 64 positions, 21 of them padding", fields)


def by_the_inputs(random):
    """H: the inputs show where the padding is, the labels are padded with a class."""
    lengths = np.array([12, 9, 6, 4])
    mask = np.arange(12) < lengths[:, None]
    z = random.normal(0, 1.5, (4, 12, 5))
    y = np.where(mask, random.choice(5, (4, 12), p=[0.6, 0.1, 0.1, 0.1, 0.1]), 0)
    losses, tokens = cross_entropy(z, y), random.integers(1, 90, (4, 12))
    masked = {"logits": z, "targets": y, "inputs": np.where(mask, tokens, 0), "pad_id": 0}
    yield report("H masked by the inputs", mean(losses, mask), "C03", "the 31 timesteps that count", masked)
    unmasked = {"logits": z, "targets": y, "inputs": np.where(mask, tokens, 99), "pad_id": 99}
    yield report("H nothing masked", losses.mean(), "C03", "the 48 timesteps that count", unmasked)  # `check`: PAD01
    empty = {"logits": z, "targets": y, "lengths": [12, 9, 0, 0]}
    yield report("H empty rows", np.nan, "PAD10", "nothing counts in sequences 2 and 3: 0 ÷ 0", empty)


def formulas(random):
    """I: other divisors, other smoothings, and e to their power."""
    lengths = np.array([12, 9, 6, 4])
    mask = np.arange(12) < lengths[:, None]
    z = random.normal(0, 1.5, (4, 12, 9))
    y = np.where(mask, random.integers(2, 9, (4, 12)), 0)
    losses, log_p = cross_entropy(z, y), z - logsumexp(z)[..., None]
    fields = {"logits": z, "targets": y, "lengths": lengths, "pad_id": 0}
    yield report("I start token", (losses * mask).sum() / (4 * 13), "C05p", "B · (T + 1) = 52", fields)
    q = np.full((4, 12, 9), 0.1 / 7)
    q[..., 0] = 0
    np.put_along_axis(q, y[..., None], 0.9, -1)
    crossed = -(q * log_p).sum(-1)
    divergence = crossed + np.where(q > 0, q * np.log(np.where(q > 0, q, 1)), 0).sum(-1)
    over = "ε/(V − 2) for each other class but the pad id"
    for name, values, code, alone in (("smoothing", crossed, "LS6", "LS6"), ("KL", divergence, "LS5", "LS5n")):
        number = mean(values, mask)
        yield report(f"I {name} over V − 2", number, alone, "ε = 0.1", fields, smoothing=0.1)
        yield report(f"I exp of {name}", np.exp(number), f"{code} + C12", over, fields, smoothing=0.1)
        no_perplexity = "which is no perplexity of the targets"
        yield report(f"I exp of {name}, unsaid", np.exp(number), f"{code} + C12", no_perplexity, fields)
    for epsilon in (0.05, 0.1, 0.2):
        smoothed = np.exp(mean((1 - epsilon) * losses - epsilon * log_p.mean(-1), mask))
        says = f"smooths the labels with ε = {epsilon:g}, ε/V for each class"
        yield report(f"I exp of smoothing {epsilon:g}, unsaid", smoothed, "LS1 + C12", says, fields)


MADE: tuple[Made, ...] = (
    hugging_face,
    moved_masks,
    partitions,
    other_logits,
    second_shift,
    probabilities,
    one_logit,
    by_the_inputs,
    formulas,
)


def reports(seed: int) -> list[Report]:
    """Every case, of its own random numbers."""
    return [one for made in MADE for one in made(np.random.default_rng(seed))]
