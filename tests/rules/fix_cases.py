"""Batches for the fixes of rules: the samples, whatever else the rules say, and what their loops hold beside."""

from dataclasses import dataclass, field

import numpy as np
import tensorflow as tf
import torch

from lossviz import Batch, analyze, diagnose
from lossviz.rules import RULES
from tests.golden import FRACTIONAL, LENGTHS, TARGETS, golden_batch
from tests.loops import held
from tests.rules.asking import sample
from tests.rules.pad_cases import golden_with

COUNTS = np.arange(5) < LENGTHS[:, None]


@dataclass(frozen=True)
class Case:
    """One fix: of which rule, on which batch, and the names that its loop has beside the batch's own."""

    code: str
    name: str
    batch: Batch
    loop: dict = field(default_factory=dict)

    @property
    def finding(self):
        return diagnose(self.batch, select=self.code).finding(self.code)

    def __str__(self):
        return f"{self.code} {self.name}"


def spread(targets, classes=9, **fields):
    """A batch whose losses all differ."""
    targets = np.array(targets)
    logits = np.random.default_rng(7).normal(0, 2, (*targets.shape, classes))
    return Batch.from_arrays(logits=logits, targets=targets, **fields)


ONES = np.ones((4, 8), np.float16)


def of_samples():
    """What the loop of each sample holds beside its batch."""
    bad = {rule.code: sample(rule.code) for rule in RULES if rule.code != "NUM07"}
    half = [slice(0, 2), slice(2, 4)]
    micro = {"micro_batches": micro_batches(bad["RED01"], half)}
    attention = {
        "scores": np.random.default_rng(1).normal(size=(2, 4, 4)).astype(np.float32),
        "attention_mask": np.tril(np.ones((2, 4, 4), bool)) & (np.array([4, 0])[:, None, None] > 0),
    }
    time_major = bad["SHF08"].logits.reshape(*[bad["SHF08"].shape[at] for at in (1, 0, 2)])
    tokens = bad["SHF02"].inputs[:, :2], bad["SHF02"].targets[:, :-1]  # the first two, then what comes two later
    loops = {
        "MOD01": {"hidden": np.log(bad["MOD01"].logits), "head": lambda hidden: hidden},
        "MOD03": {"hidden": bad["MOD03"].logits, "head": lambda hidden: hidden},
        "NUM03": {"allowed": np.isfinite(bad["NUM03"].logits), "logits": np.zeros(bad["NUM03"].shape)},
        "NUM05": attention,
        "NUM06": {
            "hidden": np.full((3, 6, 4), 6e4, np.float16),
            "head": torch.nn.Linear(4, 8).half(),
            "kernel": ONES,
        },
        "PAD04": {"lengths": np.array([5, 7, 4])},
        "PAD05": {"lengths": np.array([7, 4, 3, 4])},
        "PAD13": {"hidden": np.ones((4, 7, 5))},
        "PAD14": {"assistant_masks": np.pad(bad["PAD14"].weights, [(0, 0), (1, 0)]).astype(np.int64)},
        "PAD18": {"dataset": ragged(bad["PAD18"]), "batch_size": 2},
        "PAD15": {"mask": (bad["PAD15"].weights == 254).astype(np.uint8)},
        "RED01": micro,
        "RED02": micro,
        "RED17": micro,
        "RED07": {"losses": held(bad["RED07"])["losses"].reshape(-1, 1)},
        "RED10": {"epsilon": 0.1},
        "SHF01": {"tokens": bad["SHF01"].inputs, "model": lambda inputs: bad["SHF01"].logits[:, : inputs.shape[1]]},
        "SHF02": {"tokens": np.concatenate(tokens, axis=1)},
        "SHF03": {"go_id": 2},
        "SHF07": {"ids": [[4, 5, 7], [3, 4, 5, 6, 7, 1], [3, 7, 5, 6]]},
        "SHF08": {"logits": time_major},
    }
    return [Case(code, "sample", batch, loops.get(code, {})) for code, batch in bad.items()]


def ragged(batch):
    """The sequences of a batch without their padding, one by one."""
    rows = [row[:length] for row, length in zip(batch.targets, batch.lengths, strict=True)]
    return tf.data.Dataset.from_generator(lambda: iter(rows), output_signature=tf.TensorSpec([None], tf.int64))


def micro_batches(batch, slices):
    weights = analyze(batch).weights
    return [(held(batch)["losses"][rows], weights[rows]) for rows in slices]


def others():
    """What the rules say of other batches."""
    yield from of_padding()
    yield from of_masks()
    yield from of_lengths()
    yield from of_labels()
    yield from of_shifts()


def of_padding():
    none = {"pad_id": None}
    yield Case("PAD01", "one end counts", spread([[5, 6, 2, 2, 2], [5, 6, 7, 2, 2]], eos_id=2))
    yield Case("PAD01", "on the left", spread([[0, 0, 0, 5, 6], [0, 0, 7, 5, 6]]))
    yield Case("PAD01", "a short run too", spread([[5, 6, 0, 0], [5, 7, 0, 0], [5, 6, 7, 0]]))
    words = np.full((2, 60), 5)
    words[:, -3:] = words[0, 7] = 0
    yield Case("PAD01", "also a word", spread(words), {"lengths": np.array([57, 57])})
    yield Case("PAD01", "printed", golden_with(reported="0.9667"))
    supervised = {"lengths": None, "weights": COUNTS & (TARGETS != 1)}
    yield Case("PAD05", "weights", golden_with(**supervised), {"lengths": LENGTHS})
    replaced = {"pad_id": 2, "eos_id": 2, "ignore_id": -100}
    read = [[5, 6, 2, 2, 2], [7, 8, 6, 2, 2]]
    labels = [[5, 6, -100, -100, -100], [7, 8, 6, -100, -100]]
    real = {"tokens": np.array(read), "lengths": np.array([3, 4])}
    yield Case("PAD05", "replaced", spread(labels, inputs=read, **replaced), real)
    shifted = {"tokens": np.array([[4, *row] for row in read]), "lengths": np.array([3, 4])}
    inputs = [[4, *row[:-1]] for row in read]
    yield Case("PAD05", "replaced and shifted", spread(labels, inputs=inputs, **replaced), shifted)
    prompted = [[-100, 6, -100, -100, -100], [-100, 8, 6, -100, -100]]
    yield Case("PAD05", "after a prompt", spread(prompted, inputs=inputs, **replaced), shifted)
    words = [[5, 6, 7, 8], [7, 8, 0, 0]]
    tagged = {"inputs": words, "pad_id": 0}
    yield Case("PAD04", "tags", spread([[3, 0, 2, 0], [0, 4, 0, 0]], weights=[[1, 0, 1, 0], [0, 1, 0, 0]], **tagged))
    counted = {"inputs": np.where(np.array(words) == 0, 99, words), "pad_id": 99}
    yield Case("PAD01", "by the inputs", spread([[3, 0, 2, 1], [1, 4, 0, 0]], **counted))
    yield Case("PAD10", "nan", golden_with(lengths=[5, 4, 0], reported="nan", **none))
    yield Case("PAD10", "nothing in it", golden_with(lengths=[5, 4, 0], **none))
    yield Case("PAD10", "weights", golden_batch(lengths=None, weights=FRACTIONAL * np.array([[1], [0], [1]])))


def of_masks():
    yield Case("PAD06", "not 0 or 1", golden_with(lengths=None, weights=2.0 * ~COUNTS))
    ids, inverted = (
        np.array([[2, 5, 6, 1, 0, 0], [2, 7, 1, 0, 0, 0]]),
        [[-100, -100, -100, 0, 0], [-100, -100, 0, 0, 0]],
    )
    yield Case("PAD06", "labels", spread(inverted, pad_id=0, eos_id=1, ignore_id=-100), {"tokens": ids})
    left = spread([[0, 0, 7, 1], [0, 5, 6, 1], [8, 7, 6, 1]], pad_id=0, eos_id=1, lengths=[2, 3, 4])
    yield Case("PAD07", "on the left", left)
    other = spread([[7, 1, 0, 0], [5, 6, 1, 0]], pad_id=0, eos_id=1, weights=[[0, 0, 1, 1], [0, 1, 1, 1]])
    yield Case("PAD07", "on the right", other, {"lengths": np.array([2, 3])})
    yield Case("PAD07", "prompts", *leaking())
    yield Case("PAD11", "lengths", spread([[5, 6, 1], [7, 1, 0]], weights=np.zeros((2, 3)), lengths=[3, 2]))
    yield Case("PAD11", "ids", spread([[5, 6, 1], [7, 1, 0]], weights=np.zeros((2, 3)), pad_id=0, eos_id=1))
    yield Case("PAD11", "no length", spread([[5, 6, 1], [7, 1, 0]], lengths=[0, 0], pad_id=0, eos_id=1))
    tags, words = [[3, 2, 0, 0], [2, 3, 4, 0]], [[5, 6, 7, 0], [7, 8, 5, 0]]  # the tag 0 has its word
    yield Case("PAD11", "tags", spread(tags, inputs=words, lengths=[0, 0], pad_id=0))
    ignored = {"weights": np.zeros((1, 2)), "ignore_id": -100}
    yield Case("PAD11", "labels", spread([[5, -100]], **ignored))
    yield Case("PAD15", "fractions", golden_batch(weights=FRACTIONAL))
    yield Case("PAD15", "negative", golden_batch(weights=-FRACTIONAL), {"weights": FRACTIONAL})
    rows, ends = [[5, 6, 7, 1], [5, 6, 1, 0]], {"pad_id": 0, "eos_id": 1}
    yield Case("PAD16", "cut off", spread(rows, lengths=[2, 3], **ends))
    yield Case("PAD16", "no lengths", spread([*rows, [7, 1, 0, 0]], weights=[[1] * 4, [1] * 4, [1] * 4], **ends))
    disagree = spread([[5, 6, 1, 0]], lengths=[4], weights=[[1, 1, 1, 0]], **ends)
    yield Case("PAD16", "two ends", disagree)
    once = spread([[0, 0, 0, 7, 1], [0, 5, 6, 7, 1]], weights=np.ones((2, 5)), **ends)
    yield Case("PAD16", "pads first, once too", once)
    yield Case("PAD16", "pads first", spread([[0, 0, 7, 1], [5, 6, 7, 1]], lengths=[4, 4], **ends))
    some = {"segment_ids": [[0, 0, 0, 1, 1, 1, 2, 2]], "inputs": [[3, 5, 6, 3, 7, 8, 4, 6]]}
    yield Case("RED14", "one ends", spread([[5, 6, 1, 7, 8, 4, 6, 5]], **some, weights=np.ones((1, 8))))
    packed = {"segment_ids": [[0, 0, 0, 1, 1, 1]], "eos_id": 1}
    yield Case("RED14", "no inputs", spread([[5, 6, 7, 7, 8, 1]], **packed))
    yield Case("RED14", "no segments", spread([[5, 6, 1, 7, 8, 1]], eos_id=1))


def leaking():
    """Left-padded prompts that end in 4: as many first columns as the prompt is long are masked."""
    tokens = np.array([[3, 5, 6, 4, 7, 8, 1], [0, 3, 5, 4, 8, 7, 1], [0, 0, 3, 4, 6, 5, 1], [0, 0, 0, 3, 4, 5, 1]])
    lengths = np.array([4, 3, 2, 2])
    weights = (np.arange(7) >= lengths[:, None]) & (tokens != 0)
    fields = {"inputs": tokens[:, :-1], "weights": weights[:, 1:], "pad_id": 0, "eos_id": 1}
    return spread(tokens[:, 1:], **fields), {"prompt_lengths": lengths}


def answered(late):
    """Prompts that end in 4, and the mask of the answers a timestep late or early."""
    tokens = np.array([[3, 5, 6, 4, 7, 8, 1, 0], [3, 5, 4, 8, 7, 1, 0, 0], [3, 4, 6, 5, 1, 0, 0, 0]])
    mask = np.array([[0] * 4 + [1] * 3 + [0], [0] * 3 + [1] * 3 + [0] * 2, [0] * 2 + [1] * 3 + [0] * 3])
    weights = mask[:, :-1] if late else np.pad(mask[:, 2:], ((0, 0), (0, 1)))
    return spread(tokens[:, 1:], weights=weights, pad_id=0, eos_id=1), {"tokens": tokens, "mask": mask}


def of_lengths():
    ends = {"pad_id": 0, "eos_id": 1}
    long = spread([[5, 6, 1, 0], [5, 1, 0, 0]], lengths=[4, 3], **ends)
    yield Case("PAD08", "long", long)
    full = spread([[5, 6, 1, 0], [5, 1, 0, 0], [5, 6, 7, 1]], lengths=[4, 3, 4], **ends)
    yield Case("PAD08", "long, one fills T", full)
    weights = np.arange(4) < np.array([[4], [3]])
    yield Case("PAD08", "weights, long", spread([[5, 6, 1, 0], [5, 1, 0, 0]], weights=weights, **ends))
    short = spread([[5, 6, 7, 0], [5, 6, 0, 0]], weights=[[1, 1, 0, 0], [1, 0, 0, 0]], pad_id=0)
    yield Case("PAD08", "weights, short", short)
    rows = [[5, 6, 7, 1], [5, 1, 0, 0]]
    yield Case("PAD09", "beyond T", spread(rows, lengths=[5, 2], **ends))
    yield Case("PAD09", "fractions", spread(rows, lengths=[3.7, 2], **ends))
    yield Case("PAD09", "no pad id", spread([[5, 6, 7, 1]] * 2, lengths=[2.7, 9]))
    yield Case(
        "PAD09", "all whole", golden_with(lengths=[5, 5, 5], targets=np.where(COUNTS, TARGETS + (TARGETS == 0), 0))
    )
    same = {"pad_id": 2, "eos_id": 2}
    yield Case("PAD09", "the end pads", spread([[5, 6, 2, 2, 2], [5, 6, 7, 8, 2]], lengths=[5, 5], **same))
    below = spread([[5, 6, 7, 1]], lengths=[-1])
    yield Case("PAD09", "below 0", below, {"lengths": np.array([4])})


def of_labels():
    half = sample("NUM01", "good").replace(logits=sample("NUM01", "good").logits.astype(np.float16))
    masked = {"scores": np.zeros((1, 2, 2), np.float16), "attention_mask": np.array([[[True, False], [True, True]]])}
    yield Case("NUM06", "coarse", half, masked)
    ruled_out = np.zeros((1, 3, 4))
    ruled_out[0, 0, 1] = -np.inf
    impossible = Batch.from_arrays(logits=ruled_out, targets=[[1, 2, -100]], ignore_id=-100)
    yield Case("NUM03", "ignore id", impossible, {"allowed": np.isfinite(ruled_out), "logits": np.zeros((1, 3, 4))})
    yield Case("PAD12", "no mask", spread([[5, -100, 6, -100]]))
    yield Case("PAD12", "two ids", spread([[5, -100, 6, -1, 7, 0]], lengths=[5], pad_id=0))
    yield Case("PAD12", "weights", spread([[5, -100, 6, 7]], weights=[[2, 1, 0.5, 0]]))
    ends = {"ignore_id": -100, "pad_id": 2, "eos_id": 2}
    mask = {"attention_mask": np.array([[1, 1, 1, 0, 0]])}
    yield Case("PAD12", "the end pads", spread([[5, 6, 2, 2, 2]], **ends), mask)
    yield Case("PAD13", "from 1", spread([[1, 2, 4], [3, 4, 1]], classes=4))
    yield Case("PAD13", "below 0", spread([[1, -5, 3]], classes=4), {"targets": np.array([[1, 0, 3]])})
    yield Case("PAD13", "masked", spread([[1, 2, -100]], classes=4, lengths=[2]))


def of_shifts():
    yield Case("SHF05", "late", *answered(late=True))
    yield Case("SHF05", "early", *answered(late=False))
    ids = np.array([[5, 6, 1, 0], [7, 8, 6, 1]])
    rolled = spread(ids, inputs=np.roll(ids, 1, axis=1), pad_id=0, ignore_id=-100)
    masked = {"go_id": 2, "targets": np.array([[5, 1, -100, -100], [7, 8, 6, 1]])}
    yield Case("SHF03", "ignore id", rolled, masked)
    flat = golden_batch().logits.copy()
    flat[:, 4] = 0
    yield Case("SHF04", "last", golden_with(logits=flat))
    flat = flat.copy()
    flat[:, 0] = 0
    yield Case("SHF04", "both", golden_with(logits=flat))
    tokens = np.random.default_rng(1).integers(0, 9, (4, 12))
    for lag in (-2, -1, 1, 2):
        logits = 6.0 * np.eye(9)[np.roll(tokens, -lag, axis=1)]
        yield Case("SHF06", f"by {lag}", Batch.from_arrays(logits=logits, targets=tokens))
    logits = 6.0 * np.eye(9)[np.roll(tokens, 1, axis=1)]
    source = np.random.default_rng(2).integers(0, 9, (4, 12))
    yield Case("SHF06", "reads other tokens", Batch.from_arrays(logits=logits, targets=tokens, inputs=source))
    rows = [[5, 6, 0, 0], [7, 8, 1, 0]]
    inputs = [[4, 5, 6, 0], [4, 7, 8, 1]]
    some = spread(rows, lengths=[2, 3], pad_id=0, eos_id=1, inputs=inputs)
    yield Case("SHF07", "some end", some, {"ids": [[5, 6], [7, 8, 1]]})
    right = sample("SHF10", "good")
    order = np.array([2, 0, 1])
    yield Case("SHF10", "no order of lengths", right.replace(logits=right.logits[order]), {"order": order})
