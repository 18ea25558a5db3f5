"""What is recorded: which steps, which rows, how much."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import index
from typing import Any

import numpy as np

from lossviz.errors import InputError, did_you_mean, not_one_of

__all__ = ["LOGITS", "LOGITS_BYTES", "RecordingSettings", "recording_settings"]

LOGITS = ("auto", "never")
LOGITS_BYTES = 2**20  # the most that "auto" keeps of a step
_COUNTS = {"every": 1, "sequences": 1, "keep_steps": 2, "max_bytes": 1, "queue_size": 1, "world": 1, "rank": 0}


@dataclass(frozen=True)
class RecordingSettings:
    """What a recorder writes, and how much of it.

    Attributes:
        every: record steps whose number is a multiple of this.
        sequences: the most rows recorded of a batch; of a larger one, a seeded sample.
        keep_steps: the most steps kept. When there are more, every second one is dropped, and so on.
        max_bytes: the most bytes written to the disk; then recording stops, and says so.
        vocabulary: a list of tokens, or a Hugging Face tokenizer, whose pad and eos ids are taken too.
        pad_id: the id that fills rows up; likewise eos_id and ignore_id.
        logits: "auto" keeps logits of up to 1 MiB a step, "never" none.
        watch: targets [B, T] of a fixed batch; only steps with these targets are recorded, always the same rows.
        seed: of the sample of rows.
        rank: this process, from 0 (the environment's RANK, else 0); world: how many there are (WORLD_SIZE, else 1).
        resume: go on with the run that the folder holds.
        queue_size: how many steps may wait for the disk; further ones are dropped and counted.
    """

    every: int = 100
    sequences: int = 64
    keep_steps: int = 1000
    max_bytes: int = 2**30
    vocabulary: Any = None
    pad_id: int | None = None
    eos_id: int | None = None
    ignore_id: int | None = None
    logits: str = "auto"
    watch: Any = None
    seed: int = 0
    rank: int = field(default_factory=lambda: int(os.environ.get("RANK") or 0))
    world: int = field(default_factory=lambda: int(os.environ.get("WORLD_SIZE") or 1))
    resume: bool = False
    queue_size: int = 8

    def __post_init__(self) -> None:
        for name, least in _COUNTS.items():
            _check_count(name, getattr(self, name), least)
        if self.logits not in LOGITS:
            raise InputError(not_one_of("logits", self.logits, LOGITS))

    def stride(self, step: int) -> int:
        """The distance between kept steps once training has come to `step`: `every`, doubled until they fit.

        >>> settings = RecordingSettings(every=10, keep_steps=4)
        >>> [settings.stride(step) for step in (0, 30, 40, 80, 160)]
        [10, 10, 20, 40, 80]
        """
        stride = self.every
        while step // stride >= self.keep_steps:
            stride *= 2
        return stride

    def wants(self, step: int) -> bool:
        """Whether a step is recorded; every rank decides alike.

        >>> [step for step in range(9) if RecordingSettings(every=2, keep_steps=3).wants(step)]
        [0, 2, 4, 8]
        """
        return step % self.stride(step) == 0

    def rows(self, step: int, count: int) -> np.ndarray | None:
        """Which of a batch's `count` rows are recorded, sorted; None for all of them.

        >>> RecordingSettings(sequences=2).rows(0, 4)
        array([2, 3])
        """
        if count <= self.sequences:
            return None
        seed = [self.seed] if self.watch is not None else [self.seed, step, self.rank]
        return np.sort(np.random.default_rng(seed).choice(count, self.sequences, replace=False))


def recording_settings(given: Mapping[str, Any]) -> RecordingSettings:
    """Check the settings that a recorder was given by name.

    Raises:
        InputError: if one does not exist or has a value that it can't have.

    >>> recording_settings({"evry": 10})
    Traceback (most recent call last):
    lossviz.errors.InputError: A recorder has no setting `evry`. Did you mean `every`?
    """
    known = [one.name for one in fields(RecordingSettings)]
    if unknown := [name for name in given if name not in known]:
        hint = did_you_mean(unknown[0], known) or f" It has {', '.join(known)}."
        raise InputError(f"A recorder has no setting `{unknown[0]}`.{hint}")
    return RecordingSettings(**given)


def _check_count(name: str, value: Any, least: int) -> None:
    try:
        fits = not isinstance(value, bool) and index(value) >= least
    except TypeError:
        fits = False
    if not fits:
        raise InputError(f"`{name}` must be an integer of {least} or more; got {value!r}.")
