"""What a bug in a pipeline is, and what several of them ask of a step.

`shows` is the catalogue's signature, judged with what was recorded: without it "cannot tell" is the right answer.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from lossviz import Batch
from tests.rules.pipelines import Array, Step

Shows = Callable[[Step, Batch], bool]


class Bug(NamedTuple):
    """A stage of the loop that went wrong; `also` are the codes that the catalogue calls the same symptom."""

    code: str
    stage: str
    write: Callable[[Step], None]
    shows: Shows = lambda _step, _batch: True
    task: Mapping[str, object] = MappingProxyType({})
    also: tuple[str, ...] = ()


class Unable(Exception):
    """This batch can't have the bug."""


def wanted(condition: bool) -> None:
    if not condition:
        raise Unable


def prefix(lengths: Array, step: Step) -> Array:
    return np.arange(step.targets.shape[1]) < lengths[:, None]


def short(step: Step) -> Array:
    """Rows that are padded."""
    return step.lengths < step.targets.shape[1]


def by_lengths(step: Step, lengths: Array) -> None:
    """The loss is masked by these lengths."""
    wanted(step.task.side == "right" and not (step.truth != prefix(step.lengths, step)).any())
    step.lengths, step.mask = lengths, prefix(lengths, step)
    step.mask_as = str(step.random.choice(["lengths", "weights"]))


def knows_pad(step: Step, batch: Batch) -> bool:
    return batch.pad_id is not None and int(short(step).sum()) >= 2


def truly_short(step: Step) -> Array:
    """Rows whose end was not cut off, with room after them."""
    return (step.real.sum(axis=1) < step.real.sum(axis=1).max()) & short(step)
