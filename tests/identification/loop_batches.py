"""The batches that training loops are run on, and what a loop is: nothing of lossviz but its samples."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lossviz import Batch
from lossviz.samples import load_sample


@dataclass(frozen=True, eq=False)
class Given:
    """What a training loop holds after its forward pass: logits [B, T, V], targets [B, T], lengths [B]."""

    logits: np.ndarray
    targets: np.ndarray
    lengths: np.ndarray
    inputs: np.ndarray | None = None
    pad_id: int | None = 0
    eos_id: int | None = None
    prompts: np.ndarray | None = None

    @cached_property
    def mask(self):
        """[B, T] bool: what lies before the sequence's end, and after its prompt where it has one."""
        place = np.arange(self.targets.shape[1])
        return (place < self.lengths[:, None]) & (place >= (0 if self.prompts is None else self.prompts[:, None]))

    @cached_property
    def batch(self):
        """The same as a Batch of lossviz."""
        mask = {"lengths": self.lengths} if self.prompts is None else {"weights": self.mask}
        named = {"logits": self.logits, "targets": self.targets, "inputs": self.inputs}
        return Batch.from_arrays(**named, **mask, pad_id=self.pad_id, eos_id=self.eos_id)


@dataclass(frozen=True, eq=False)
class Loop:
    """A training loop's evaluation step: `run` gives the number that it prints, `codes` name what it does.

    `options` is what its author would tell `identify`; `needs` whether a batch lets it run.
    """

    name: str
    codes: frozenset[str]
    run: Callable[[Given], float]
    options: dict[str, object] = field(default_factory=dict)
    needs: Callable[[Given], bool] = lambda _: True


def loop(codes, *, needs=None, **options):
    """Make a function of a Given a Loop."""
    named = frozenset(codes.split())
    return lambda run: Loop(run.__name__, named, run, options, needs or (lambda _: True))


def recorded(name):
    """A batch that a model was recorded on."""
    fields = load_sample(name)
    kept = {key: fields.get(key) for key in ("targets", "inputs", "lengths", "pad_id", "eos_id")}
    return Given(logits=np.asarray(fields["logits"], np.float32), **kept)


def drawn(seed, sequences, timesteps, classes, *, pads_inside=False, prompted=False):
    """A model that has learned a little, on sequences of 1 to T tokens that end in EOS (1) and are padded with 0."""
    random = np.random.default_rng(seed)
    lengths = random.integers(max(1, timesteps // 4), timesteps + 1, sequences)
    lengths[0] = timesteps
    tokens = random.integers(min(2, classes - 1), classes, (sequences, timesteps + 1))
    if pads_inside:
        tokens[random.random(tokens.shape) < 0.05] = 0
    place = np.arange(timesteps + 1)
    tokens = np.where(place == lengths[:, None], 1, np.where(place < lengths[:, None], tokens, 0))
    targets, inputs = tokens[:, 1:], tokens[:, :-1]
    logits = random.normal(0, 1.5, (sequences, timesteps, classes))
    known = random.normal(2.5, 1.5, (sequences, timesteps, 1))
    np.put_along_axis(logits, targets[..., None], known + np.log(classes) / 2, axis=-1)
    prompts = random.integers(0, np.maximum(lengths - 2, 1)) if prompted else None
    return Given(logits.astype(np.float32), targets, lengths, inputs, 0, 1, prompts)
