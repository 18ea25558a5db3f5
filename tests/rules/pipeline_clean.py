"""Training steps without a bug, plain and odd: what `tests/rules/pipelines.py` makes, and what no pipeline makes."""

from collections.abc import Callable

import ml_dtypes
import numpy as np

from lossviz import Batch
from lossviz.file_arrays import ARRAYS
from lossviz.samples import RECORDED, SAMPLES, load_sample
from tests.rules.pipelines import KINDS, Random, Step, loop, record, reduce, task


def of_kind(kind: str) -> Callable[[Random], Batch]:
    return lambda random: record(loop(task(random, kind=kind), random))


def importance(random: Random) -> Batch:
    """Some tokens, classes or sequences weigh more."""
    step = loop(task(random), random)
    rows, width = step.targets.shape
    weights = [
        random.choice([0.5, 1, 2], (rows, width)),
        random.lognormal(0, 1, (rows, 1)),
        np.array([0.1, 1, 3.5, 10])[step.targets % 4],
        0.9 ** np.arange(width)[None],
    ][random.integers(4)]
    step.mask, step.mask_as = step.truth * weights, "weights"
    reduce(step)
    return record(step)


def rollouts(random: Random) -> Batch:
    """Each sequence twice or more, as in reinforcement learning; some are told apart by a weight."""
    step = loop(task(random, kind="prompt", wide="longest", longest=16), random)
    copies = int(random.integers(2, 5))
    for name in ("logits", "targets", "inputs", "mask", "truth", "lengths"):
        setattr(step, name, np.repeat(getattr(step, name), copies, axis=0))
    return record(step)


def odd_logits(random: Random) -> Batch:
    """Half precision, a vocabulary filled up, a bias, log-probabilities, a very sure model."""
    step = loop(task(random), random)
    shape = step.logits.shape
    step.logits = [
        lambda z: z.astype("f2"),
        lambda z: z.astype(ml_dtypes.bfloat16),
        lambda z: z.astype("f8"),
        lambda z: np.concatenate([z, np.full((*shape[:2], 5), -np.inf, "f4")], axis=2),
        lambda z: np.concatenate([z, np.full((*shape[:2], 5), -1e4, "f4")], axis=2),
        lambda z: z - z.max(axis=2, keepdims=True) + 30,
        lambda z: 5 * z,
        lambda z: np.where(step.real[:, -shape[1] :, None], z, 0),
        lambda z: np.where(step.real[:, -shape[1] :, None], z, z[:1, :1]),
    ][random.integers(9)](step.logits)
    reduce(step)
    return record(step)


def after_a_sort(random: Random) -> Batch:
    """Sequences by length, the longest first, as a packed recurrent network wants them."""
    step = loop(task(random, kind="text", side="right"), random)
    order = np.argsort(-step.lengths, kind="stable")
    for name in ("logits", "targets", "inputs", "mask", "truth", "lengths"):
        setattr(step, name, getattr(step, name)[order])
    return record(step)


def several_numbers(random: Random) -> Batch:
    """The number is a sum, or a mean over sequences, or rounded to 2 digits."""
    step = loop(task(random), random)
    losses = np.where(step.mask, step.losses(), 0)
    numbers = losses.sum(), losses.sum() / len(losses), losses.sum() / max(step.mask.sum(), 1)
    step.recorded["reported"] = f"{numbers[random.integers(3)]:.{random.integers(2, 7)}f}"
    return record(step)


def classified(random: Random) -> Batch:
    """One label for each sequence."""
    rows, classes = int(random.integers(1, 65)), int(random.integers(2, 200))
    targets = random.integers(0, classes, (rows, 1))
    logits = random.normal(size=(rows, 1, classes)) + random.uniform(0, 6) * (targets[..., None] == np.arange(classes))
    more = [{}, {"lengths": np.ones(rows, int)}, {"weights": np.ones((rows, 1))}][random.integers(3)]
    return Batch.from_arrays(logits=logits.astype("f4"), targets=targets, **more)


def yes_or_no(random: Random) -> Batch:
    """A logit for each timestep, and a label for each of them or for the sequence."""
    rows, width = int(random.integers(1, 65)), int(random.integers(1, 40))
    lengths = random.integers(1, width + 1, rows)
    real = np.arange(width) < lengths[:, None]
    labels = (random.random((rows, width if random.random() < 0.5 else 1)) < random.uniform(0.1, 0.9)) & real
    logits = (4 * random.random() * (labels - 0.5) + random.normal(size=(rows, width)))[..., None]
    mask = [{"lengths": lengths}, {"weights": real}][random.integers(2)]
    pad = {"inputs": np.where(real, random.integers(1, 50, (rows, width)), 0)} if random.random() < 0.5 else {}
    return Batch.from_arrays(logits=logits.astype("f4"), targets=labels.astype(int), **mask, **pad)


def recorded(random: Random) -> Batch:
    """Some rows, cut at some width, of a batch that a network made."""
    names = [sample.name for sample in SAMPLES if sample.group == RECORDED]
    batch = Batch.from_arrays(**load_sample(str(random.choice(names))))
    rows = random.choice(batch.shape[0], random.integers(1, batch.shape[0] + 1), replace=False)
    width = int(batch.lengths[rows].max()) if random.random() < 0.5 else batch.shape[1]
    fields = {n: v[rows] if isinstance(v, ARRAYS) else v for n, v in batch.fields().items()}
    fields |= {n: fields[n][:, :width] for n in ("logits", "targets", "inputs") if n in fields}
    if random.random() < 0.5:
        fields["weights"] = np.arange(width) < fields.pop("lengths")[:, None]
    dropped = [n for n in ("pad_id", "eos_id", "inputs", "vocabulary", "input_vocabulary") if random.random() < 0.4]
    return Batch.from_arrays(**{n: v for n, v in fields.items() if n not in dropped})


def bounded(random: Random) -> Batch:
    """A genome of full width beside short ones; the longest sequence is not in this shard."""
    step: Step = loop(task(random, corpus=3, kind="text", side="right", wide="most"), random)
    return record(step)


PIPELINES: dict[str, Callable[[Random], Batch]] = {
    **{kind: of_kind(kind) for kind in dict.fromkeys(KINDS)},
    "left": lambda random: record(loop(task(random, kind="text", side="left"), random)),
    "left prompts": lambda random: record(loop(task(random, kind="prompt", side="left"), random)),
    **{
        make.__name__.replace("_", " "): make
        for make in (
            importance,
            rollouts,
            odd_logits,
            after_a_sort,
            several_numbers,
            classified,
            yes_or_no,
            recorded,
            bounded,
        )
    },
}
