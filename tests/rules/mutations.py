"""Put each bug into batches that are right, and see what is named: the bench prints it, a test asserts it."""

import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from lossviz import diagnose
from lossviz.batch import Batch
from lossviz.rules import SEVERITIES, Diagnosis
from tests.rules import inject_masked, inject_num_shf_mod, inject_pad, inject_printed
from tests.rules.clean import CLEAN, RECORDED_KINDS
from tests.rules.injected import Injected

Injectors = dict[str, Callable[[Batch, np.random.Generator], Injected | None]]
INJECTORS: Injectors = dict(
    sorted({**inject_pad.INJECTORS, **inject_num_shf_mod.INJECTORS, **inject_printed.INJECTORS}.items())
)
MASKED: Injectors = inject_masked.INJECTORS
TRIES = 40
"""For each bug that is wanted so many batches are tried; not every batch can have every bug."""


class Trial(NamedTuple):
    """One bug in one batch, and what the doctor said."""

    code: str
    kind: str
    seed: int
    injected: Injected
    diagnosis: Diagnosis

    @property
    def is_named(self) -> bool:
        return self.diagnosis.finding(self.code) is not None

    @property
    def is_first(self) -> bool:
        return self.is_named and self.diagnosis.findings[0].code == self.code

    @property
    def overlap(self) -> float:
        """The timesteps shown and injected, of those shown or injected; NaN where any will do."""
        finding, cells = self.diagnosis.finding(self.code), self.injected.cells
        if finding is None or cells is None or not (finding.cells | cells).any():
            return float("nan")
        return float((finding.cells & cells).sum() / (finding.cells | cells).sum())

    @property
    def is_mended(self) -> float:
        """1.0 where the repaired batch is no longer so, 0.0 where it is, NaN where arrays can't repair it."""
        finding = self.diagnosis.finding(self.code)
        if finding is None or finding.repaired is None:
            return float("nan")
        after = diagnose(finding.repaired, select=self.code).finding(self.code)
        return float(after is None or SEVERITIES.index(after.severity) > SEVERITIES.index(finding.severity))

    def __str__(self) -> str:
        return f"{self.code} in {self.kind!r}, seed {self.seed}: {self.diagnosis} of {self.injected.batch}"


class Alarm(NamedTuple):
    """A warning or an error about a batch that is right, or a rule that crashed on it."""

    kind: str
    seed: int
    code: str
    message: str


def trials(code: str, count: int, injectors: Injectors = INJECTORS) -> Iterator[Trial]:
    """So many batches with one bug, half of them recorded from a model, fewer where few batches can have it."""
    left = count
    for seed in range(TRIES * count):
        if not left:
            return
        random = np.random.default_rng([zlib.crc32(code.encode()), seed])
        kind = str(random.choice(RECORDED_KINDS if seed % 2 and injectors is INJECTORS else list(CLEAN)))
        batch = CLEAN[kind](random).replace(reported=None)  # the bug may change it
        injected = injectors[code](batch, random)
        if injected is None or diagnose(batch, select=code).finding(code):
            continue
        left -= 1
        yield Trial(code, kind, seed, injected, diagnose(injected.batch))


def alarms(kind: str, count: int) -> Iterator[Alarm]:
    """What is said of so many clean batches of a kind, at warning or above."""
    for seed in range(count):
        diagnosis = diagnose(clean_batch(kind, seed))
        said = [finding for finding in diagnosis.findings if finding.severity != "info"]
        crashed = [outcome for outcome in diagnosis.outcomes if outcome.state == "crashed"]
        yield from (Alarm(kind, seed, finding.code, finding.message) for finding in said)
        yield from (Alarm(kind, seed, outcome.code, outcome.reason) for outcome in crashed)


def clean_batch(kind: str, seed: int) -> Batch:
    return CLEAN[kind](np.random.default_rng([zlib.crc32(kind.encode()), seed]))
