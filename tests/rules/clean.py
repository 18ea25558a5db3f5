"""Batches without a bug, of every kind that people train on: each generator draws one at random.

The models are Markov chains: tokens are drawn from a chain, and a trained model's logits are its log-probabilities.
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import ml_dtypes
import numpy as np

from lossviz.analysis import analyze
from lossviz.batch import Batch
from lossviz.file_arrays import ARRAYS
from lossviz.masking import length_mask
from lossviz.samples import RECORDED, SAMPLES, load_sample

Array = np.ndarray
Random = np.random.Generator
PAD, EOS, GO = 0, 1, 2
FIRST = 3
"""The first id of a word; those below are special."""


class Text(NamedTuple):
    """Sequences of a chain: `targets` [B, T] ends in EOS and pads, `inputs`, what a model reads, is one behind."""

    inputs: Array
    targets: Array
    lengths: Array
    chain: Array

    @property
    def counts(self) -> Array:
        return np.arange(self.targets.shape[1]) < self.lengths[:, None]


def chain(random: Random, classes: int) -> Array:
    """The probabilities of the next class, [V, V]: peaked, as a language's are; no word leads to PAD or GO."""
    following = random.dirichlet(np.full(classes, random.uniform(0.05, 0.3)), size=classes) + 1e-6
    following[:, [PAD, EOS, GO]] = 1e-6
    if random.random() < 0.7:
        np.fill_diagonal(following, 1e-6)  # most languages seldom say a word twice
    return following / following.sum(axis=1, keepdims=True)


def words(random: Random, following: Array, rows: int, timesteps: int) -> Array:
    """Sequences drawn from the chain, [B, T]."""
    found = np.empty((rows, timesteps), np.int64)
    before = random.integers(FIRST, len(following), rows)
    for t in range(timesteps):
        cumulated = following[before].cumsum(axis=1)
        before = (random.random((rows, 1)) < cumulated).argmax(axis=1)
        found[:, t] = before
    return found


def text(random: Random, *, rows: int = 0, least: int = 2, end: int | None = EOS, fill: int = PAD) -> Text:
    """Right-padded sequences of random lengths, the longest as long as the batch."""
    rows = rows or int(random.integers(2, 13))
    timesteps, classes = int(random.integers(max(least, 5), 33)), int(random.integers(8, 80))
    following = chain(random, classes)
    targets = words(random, following, rows, timesteps)
    lengths = random.integers(least, timesteps + 1, rows)
    lengths[random.integers(rows)] = timesteps
    if end is not None:
        targets[np.arange(rows), lengths - 1] = end
    targets[np.arange(timesteps) >= lengths[:, None]] = fill
    return Text(behind(targets, GO), targets, lengths, following)


def behind(targets: Array, first: int) -> Array:
    """The targets one timestep later, after `first`: what a language model or a decoder reads."""
    return np.concatenate([np.full((len(targets), 1), first), targets[:, :-1]], axis=1)


def trained(random: Random, targets: Array, following: Array, inputs: Array | None = None) -> Array:
    """Logits of a model that knows the chain, more or less, [B, T, V]; under padding they are whatever they are."""
    rows, timesteps = targets.shape
    inputs = behind(targets, GO) if inputs is None else inputs
    logits = np.log(following)[np.clip(inputs, 0, len(following) - 1)]
    ends = (targets == EOS)[..., None] & (np.arange(len(following)) == EOS)
    logits = np.where(ends, logits.max(axis=-1, keepdims=True) - random.exponential(1.5), logits)
    sharp, noise = random.uniform(0.6, 1.1), random.uniform(0, 0.8)
    shape = (rows, timesteps, len(following))
    return (sharp * logits + noise * random.normal(size=shape) + random.normal(0, 5, shape[:2])[..., None]).astype("f4")


def made(random: Random, it: Text, **more: object) -> Batch:
    """A batch of a trained model, masked by its lengths; some have inputs and an EOS, some not."""
    fields = {"lengths": it.lengths, "pad_id": PAD, "eos_id": EOS, "inputs": it.inputs}
    optional = {name: fields[name] for name in ("eos_id", "inputs") if random.random() < 0.7}
    given = {"lengths": it.lengths, "pad_id": PAD} | optional | more
    logits = given.pop("logits", None)
    logits = trained(random, it.targets, it.chain) if logits is None else logits
    kept = {name: value for name, value in given.items() if value is not None}
    return Batch.from_arrays(logits=logits, **{"targets": it.targets} | kept)


def masked(random: Random, it: Text, counts: Array, **more: object) -> Batch:
    """Where `counts` decides: as weights, or as ignored targets."""
    if random.random() < 0.5:
        return made(random, it, weights=counts.astype(float), lengths=None, **more)
    ignored = np.where(counts, it.targets, -100)
    return made(random, it, targets=ignored, ignore_id=-100, lengths=None, **more)


def padded(random: Random) -> Batch:
    return made(random, text(random))


def by_weights(random: Random) -> Batch:
    it = text(random)
    return made(random, it, weights=it.counts, lengths=it.lengths if random.random() < 0.5 else None)


def by_pad_id(random: Random) -> Batch:
    return made(random, text(random), lengths=None)


def by_ignore_id(random: Random) -> Batch:
    it = text(random)
    return made(random, it, targets=np.where(it.counts, it.targets, -100), lengths=None, ignore_id=-100)


def untrained(random: Random) -> Batch:
    it = text(random)
    shape = (*it.targets.shape, len(it.chain))
    return made(random, it, logits=random.normal(0, 10.0 ** random.uniform(-4, 0), shape).astype("f4"))


def all_zero_logits(random: Random) -> Batch:
    it = text(random)
    return made(random, it, logits=np.zeros((*it.targets.shape, len(it.chain)), "f4"))


def early_in_training(random: Random) -> Batch:
    """What is learnt first is how often each class is seen."""
    it = text(random)
    often = np.log(it.chain.mean(axis=0)) + random.normal(0, 0.3, (*it.targets.shape, len(it.chain)))
    return made(random, it, logits=(random.uniform(0.2, 1) * often).astype("f4"))


def kept_out(random: Random) -> Batch:
    """A model that is sure of something else: the losses lie above ln V."""
    it = text(random)
    strange = chain(random, len(it.chain))
    return made(random, it, logits=trained(random, it.targets, strange))


def chunk(random: Random) -> Batch:
    """A language model's chunk: no padding, no end, one length."""
    it = text(random, least=5, end=None)
    tokens = words(random, it.chain, *it.targets.shape)
    lengths = np.full(len(tokens), tokens.shape[1]) if random.random() < 0.3 else None
    pad, eos = (PAD, EOS) if random.random() < 0.5 else (None, None)
    full = Text(behind(tokens, int(tokens[0, 0])), tokens, it.lengths, it.chain)
    return made(random, full, lengths=lengths, pad_id=pad, eos_id=eos)


def chunk_of_documents(random: Random) -> Batch:
    """Documents one after the other, each ended by EOS, with or without saying which is which."""
    it = text(random, least=5, end=None)
    tokens = words(random, it.chain, *it.targets.shape)
    tokens[random.random(tokens.shape) < 0.1] = EOS
    inputs = behind(tokens, EOS)
    full = Text(inputs, tokens, it.lengths, it.chain)
    pad = PAD if random.random() < 0.5 else None
    if random.random() < 0.5:
        return made(random, full, lengths=None, pad_id=pad)
    segments = (inputs == EOS).cumsum(axis=1)
    same = np.pad(segments[:, 1:] == segments[:, :-1], ((0, 0), (0, 1)), constant_values=True)
    return made(random, full, lengths=None, pad_id=pad, segment_ids=segments, weights=same)


def several_turns(random: Random) -> Batch:
    """Dialogues: the answers count, the questions between them don't."""
    it = text(random, least=4)
    from_the_end = it.lengths[:, None] - 1 - np.arange(it.targets.shape[1])
    counts = it.counts & (from_the_end // random.integers(2, 6) % 2 == 0)
    return masked(random, it, counts)


def prompts(random: Random) -> Batch:
    """The prompt does not count, the answer does."""
    it = text(random, least=4)
    prompt = (it.lengths * random.uniform(0, 0.9, len(it.lengths))).astype(int)
    return masked(random, it, it.counts & (np.arange(it.targets.shape[1]) >= prompt[:, None]))


def prompts_with_lengths(random: Random) -> Batch:
    it = text(random, least=4)
    prompt = (it.lengths * random.uniform(0, 0.9, len(it.lengths))).astype(int)
    return made(random, it, weights=it.counts & (np.arange(it.targets.shape[1]) >= prompt[:, None]))


def decoder_starts_with_pad(random: Random) -> Batch:
    """T5: the decoder's first input is the pad id."""
    it = text(random)
    inputs = behind(it.targets, PAD)
    mask = [{}, {"weights": it.counts, "lengths": None}, {"lengths": None}][random.integers(3)]
    return made(random, it, inputs=inputs, **mask)


def left_padded(random: Random) -> Batch:
    """A decoder-only model's batch for generation; the mask is on the right side."""
    it = text(random)
    turned = it._replace(**{name: _to_the_right(getattr(it, name), it.lengths) for name in ("inputs", "targets")})
    counts = _to_the_right(it.counts, it.lengths)
    inputs = np.where(counts, turned.inputs, PAD)
    inputs = np.where(inputs == GO, PAD, inputs) if random.random() < 0.3 else inputs
    mask = {"weights": counts} if random.random() < 0.7 else {}  # or the pad id says it
    return made(random, turned, lengths=None, inputs=inputs, **mask)


def left_padded_prompts(random: Random) -> Batch:
    it = text(random, least=4)
    turned = it._replace(**{name: _to_the_right(getattr(it, name), it.lengths) for name in ("inputs", "targets")})
    timesteps = it.targets.shape[1]
    start = timesteps - (it.lengths * random.uniform(0.2, 1, len(it.lengths))).astype(int).clip(1)
    return masked(random, turned, np.arange(timesteps) >= start[:, None])


def importance_weights(random: Random) -> Batch:
    it = text(random)
    weights = it.counts * random.choice([0.25, 0.5, 1, 1.5, 2, 3], size=it.counts.shape)
    return made(random, it, weights=weights, lengths=it.lengths if random.random() < 0.5 else None)


def sequence_weights(random: Random) -> Batch:
    it = text(random)
    return made(random, it, weights=it.counts * random.lognormal(0, 1, (len(it.lengths), 1)), lengths=None)


def one_sequence(random: Random) -> Batch:
    return made(random, text(random, rows=1))


def one_timestep(random: Random) -> Batch:
    it = text(random, least=5, end=None)
    first = Text(it.inputs[:, :1], it.targets[:, :1], np.ones(len(it.lengths), int), it.chain)
    return made(random, first, eos_id=None)


def equal_lengths(random: Random) -> Batch:
    """All of one length, less than the width or all of it."""
    it = text(random)
    rows, timesteps = it.targets.shape
    length = int(random.choice([timesteps, random.integers(2, timesteps + 1)]))
    targets = words(random, it.chain, rows, timesteps)
    targets[:, length - 1] = EOS
    targets[:, length:] = PAD
    return made(random, Text(behind(targets, GO), targets, np.full(rows, length), it.chain))


def wider_than_needed(random: Random) -> Batch:
    """Padded to a multiple of 8, or to a fixed width: the last columns are padding in every sequence."""
    it = text(random)
    extra = int(random.integers(1, 9))
    targets = np.pad(it.targets, ((0, 0), (0, extra)), constant_values=PAD)
    return made(random, Text(behind(targets, GO), targets, it.lengths, it.chain))


def truncated(random: Random) -> Batch:
    """Long texts are cut at the width and have no end, short ones have theirs."""
    it = text(random)
    cut = it.lengths == it.targets.shape[1]
    targets = it.targets.copy()
    targets[cut, -1] = random.integers(FIRST, len(it.chain), int(cut.sum()))
    return made(random, Text(behind(targets, GO), targets, it.lengths, it.chain))


def truncated_then_wider(random: Random) -> Batch:
    """Long texts are cut at a limit, then all are padded to a round number."""
    batch = truncated(random)
    wide = ((0, 0), (0, int(random.integers(1, 9))))
    known = {name: batch.fields()[name] for name in ("targets", "inputs") if name in batch.fields()}
    arrays = {name: np.pad(value, wide, constant_values=PAD) for name, value in known.items()}
    return Batch.from_arrays(**batch.fields() | arrays | {"logits": np.pad(batch.logits, (*wide, (0, 0)))})


def pad_is_eos(random: Random) -> Batch:
    """GPT-2: one id pads and ends; the mask keeps each sequence's one end."""
    it = text(random, end=EOS, fill=EOS)
    optional = {"eos_id": EOS} if random.random() < 0.7 else {"eos_id": None}
    inputs = behind(it.targets, EOS)
    if random.random() < 0.5:
        return made(random, it, pad_id=EOS, inputs=inputs, **optional)
    return made(random, it, pad_id=EOS, inputs=inputs, weights=it.counts, lengths=None, **optional)


def half(random: Random) -> Batch:
    batch = padded(random)
    dtype = [np.float16, ml_dtypes.bfloat16][random.integers(2)]
    return batch.replace(logits=batch.logits.astype(dtype))


def double(random: Random) -> Batch:
    batch = padded(random)
    return batch.replace(logits=batch.logits.astype(np.float64))


def masked_words(random: Random) -> Batch:
    """A masked language model: it reads most targets, and few count."""
    it = text(random)
    chosen = it.counts & (random.random(it.counts.shape) < 0.25)
    chosen[np.arange(len(chosen)), random.integers(0, it.lengths)] = True
    inputs = np.where(chosen & (random.random(chosen.shape) < 0.8), GO, it.targets)
    return masked(random, it, chosen, inputs=inputs, eos_id=None)


def tags(random: Random) -> Batch:
    """A tag for each word read; tag 0 is a real one, and 0 is also the id that pads the words."""
    it = text(random, end=None)
    kinds = int(random.integers(3, 12))
    of_word = random.integers(0, kinds, len(it.chain))
    of_word[FIRST:][random.random(len(it.chain) - FIRST) < 0.5] = 0
    reads = it.targets
    labels = np.where(it.counts, of_word[reads], 0)
    logits = (
        6.0 * (np.arange(kinds) == of_word[reads][..., None]) + random.normal(0, 1, (*reads.shape, kinds))
    ).astype("f4")
    mask = {"lengths": it.lengths} if random.random() < 0.5 else {"weights": it.counts}
    pad = {"pad_id": PAD} if random.random() < 0.5 else {}
    return Batch.from_arrays(logits=logits, targets=labels, inputs=reads, **mask, **pad)


def tags_of_words(random: Random) -> Batch:
    """Of each word the first piece has a tag; the others, and the padding, are ignored."""
    batch = tags(random)
    counts = (batch.weights != 0) if batch.weights is not None else length_mask(batch.lengths, batch.shape[1])
    counts = counts & ((random.random(counts.shape) < 0.6) | (np.arange(counts.shape[1]) == 0))
    return batch.replace(targets=np.where(counts, batch.targets, -100), weights=None, lengths=None, ignore_id=-100)


def translation(random: Random) -> Batch:
    """The inputs are those of the encoder: other words, other lengths, padded on the right."""
    it = text(random)
    source = words(random, it.chain, *it.targets.shape)
    lengths = random.integers(1, source.shape[1] + 1, len(source))
    source[np.arange(len(source)), lengths - 1] = EOS
    source[np.arange(source.shape[1]) >= lengths[:, None]] = PAD
    mask = [{}, {"weights": it.counts, "lengths": None}, {"lengths": None}][random.integers(3)]
    return made(random, it, inputs=source, eos_id=EOS, **mask)


def without_pad_id(random: Random) -> Batch:
    it = text(random)
    mask = {"weights": it.counts, "lengths": None} if random.random() < 0.5 else {}
    return made(random, it, pad_id=None, **mask)


def padded_with_ignore_id(random: Random) -> Batch:
    """The labels are padded with −100 from the start; lengths or weights say so too, or the inputs' pad id is known."""
    it = text(random)
    more = [{}, {"weights": it.counts, "lengths": None}, {"lengths": None}][random.integers(3)]
    return made(random, it, targets=np.where(it.counts, it.targets, -100), ignore_id=-100, **more)


def copying(random: Random) -> Batch:
    """An autoencoder, or a denoiser: the model should say what it reads."""
    it = text(random)
    here = np.arange(len(it.chain)) == it.targets[..., None]
    logits = (7.0 * here + random.normal(0, 1, here.shape)).astype("f4")
    reads = np.where(random.random(it.targets.shape) < 0.1, GO, it.targets)
    return made(random, it, logits=logits, inputs=np.where(it.counts, reads, PAD))


def alternating(random: Random) -> Batch:
    """Two words by turns: every second timestep is the same."""
    it = text(random, least=5, end=None)
    rows, timesteps = it.targets.shape
    pair = random.integers(FIRST, len(it.chain), (rows, 2))
    tokens = np.tile(pair, (1, timesteps))[:, :timesteps]
    logits = (6.0 * (np.arange(len(it.chain)) == tokens[..., None])).astype("f4")
    logits += random.normal(0, 1, logits.shape).astype("f4")
    return Batch.from_arrays(
        logits=logits, targets=tokens, inputs=np.tile(pair[:, ::-1], (1, timesteps))[:, :timesteps]
    )


def one_word(random: Random) -> Batch:
    """Every target is the same class."""
    it = text(random, least=5, end=None)
    tokens = np.full(it.targets.shape, FIRST)
    logits = (4.0 * (np.arange(len(it.chain)) == FIRST) + random.normal(0, 1, (*tokens.shape, len(it.chain)))).astype(
        "f4"
    )
    return Batch.from_arrays(logits=logits, targets=tokens, lengths=it.lengths)


def repeated_sequences(random: Random) -> Batch:
    """Every sequence is there twice."""
    batch = padded(random)
    twice = {name: np.repeat(value, 2, axis=0) for name, value in batch.fields().items() if isinstance(value, ARRAYS)}
    return batch.replace(**twice)


def impossible_classes(random: Random) -> Batch:
    """A vocabulary filled up to a round number: the classes that are none have −∞."""
    batch = padded(random)
    extra = np.full((*batch.shape[:2], 8), -np.inf, "f4")
    return batch.replace(logits=np.concatenate([batch.logits, extra], axis=2))


def sorted_by_length(random: Random) -> Batch:
    batch = padded(random)
    order = np.argsort(-batch.lengths, kind="stable")
    return batch.replace(**{n: v[order] for n, v in batch.fields().items() if isinstance(v, ARRAYS)})


def normalised(random: Random) -> Batch:
    """Log-probabilities: the loss is the same."""
    batch = padded(random)
    scores = batch.logits.astype(np.float64)
    scores -= np.log(np.exp(scores - scores.max(axis=-1, keepdims=True)).sum(axis=-1, keepdims=True)) + scores.max(
        axis=-1, keepdims=True
    )
    return batch.replace(logits=scores)


def printed(random: Random) -> Batch:
    """With the number that the loop printed: the mean over the timesteps that count, or their sum."""
    batch = CLEAN[str(random.choice(["padded", "by weights", "chunk", "prompts", "importance weights", "recorded"]))](
        random
    )
    analysis = analyze(batch)
    number = analysis.value if random.random() < 0.8 else analysis.numerator
    return batch.replace(reported=f"{float(number):.{random.integers(2, 7)}f}")


def named(random: Random) -> Batch:
    """With a vocabulary."""
    batch = padded(random)
    special = ["<pad>", "</s>", "<s>"]
    return batch.replace(vocabulary=[*special, *(f"w{i}" for i in range(batch.shape[2] - len(special)))])


def recorded(random: Random) -> Batch:
    """Some rows of a batch recorded from a model, which need not hold the longest one."""
    batches = [_recorded(sample.name) for sample in SAMPLES if sample.group == RECORDED]
    batches = [batch for batch in batches if batch.shape[2] > 1]  # a mean says nothing of a classifier's one logit
    return some_rows(batches[random.integers(len(batches))], random)


def recorded_bare(random: Random) -> Batch:
    """Without the inputs, the vocabulary and the end."""
    return recorded(random).replace(inputs=None, vocabulary=None, eos_id=None)


def recorded_by_weights(random: Random) -> Batch:
    batch = recorded(random)
    counts = np.arange(batch.shape[1]) < batch.lengths[:, None]
    return batch.replace(weights=counts, lengths=None)


def some_rows(batch: Batch, random: Random) -> Batch:
    rows = random.choice(batch.shape[0], size=random.integers(1, batch.shape[0] + 1), replace=False)
    return batch.replace(**{n: v[rows] for n, v in batch.fields().items() if isinstance(v, ARRAYS)})


@cache
def _recorded(name: str) -> Batch:
    return Batch.from_arrays(**load_sample(name))


def _to_the_right(values: Array, lengths: Array) -> Array:
    """Each row's first `length` values moved to its end."""
    timesteps = values.shape[1]
    place = (np.arange(timesteps) - (timesteps - lengths[:, None])) % timesteps
    return np.take_along_axis(values, place, axis=1)


CLEAN: dict[str, Callable[[Random], Batch]] = {
    make.__name__.replace("_", " "): make
    for make in (
        padded,
        by_weights,
        by_pad_id,
        by_ignore_id,
        untrained,
        all_zero_logits,
        early_in_training,
        kept_out,
        chunk,
        chunk_of_documents,
        several_turns,
        prompts,
        prompts_with_lengths,
        decoder_starts_with_pad,
        left_padded,
        left_padded_prompts,
        importance_weights,
        sequence_weights,
        one_sequence,
        one_timestep,
        equal_lengths,
        wider_than_needed,
        truncated,
        truncated_then_wider,
        pad_is_eos,
        half,
        double,
        masked_words,
        tags,
        tags_of_words,
        translation,
        without_pad_id,
        padded_with_ignore_id,
        copying,
        alternating,
        one_word,
        repeated_sequences,
        impossible_classes,
        sorted_by_length,
        normalised,
        named,
        printed,
        recorded,
        recorded_bare,
        recorded_by_weights,
    )
}
RECORDED_KINDS = ("recorded", "recorded bare", "recorded by weights")
