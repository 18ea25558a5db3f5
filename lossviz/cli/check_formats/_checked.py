"""What `lossviz check` reports about one file; the renderers turn it into text, JSON, SARIF and annotations."""

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from lossviz.analysis import Analysis
from lossviz.layouts import Reading
from lossviz.rules import SEVERITIES, Diagnosis, Finding, Outcome

__all__ = [
    "COULD_NOT_RUN",
    "PLURAL",
    "Checked",
    "Crash",
    "Run",
    "checked",
    "count_text",
    "places",
    "reference_of",
    "runs",
    "worst_status",
]

CLEAN, FOUND, COULD_NOT_RUN = 0, 1, 2
PLURAL = {"error": "errors", "warning": "warnings", "info": "infos"}


@dataclass(frozen=True)
class Run:
    """Consecutive timesteps of one sequence.

    >>> str(Run(1, 3, 3)), str(Run(0, 2, 4))
    ('sequence 1, timestep 3', 'sequence 0, timesteps 2 to 4')
    """

    sequence: int
    first: int
    last: int

    def __str__(self) -> str:
        several = f"timesteps {self.first} to {self.last}"
        return f"sequence {self.sequence}, {f'timestep {self.first}' if self.first == self.last else several}"


@dataclass(frozen=True)
class Crash:
    """A rule that failed.

    Attributes:
        code: the rule's.
        kind: the exception's name, such as ValueError.
        message: what it said.
        traceback: where, in full.
    """

    code: str
    kind: str
    message: str
    traceback: str

    def __str__(self) -> str:
        return f"The rule {self.code} crashed: {': '.join(filter(None, (self.kind, self.message)))}."


@dataclass(frozen=True, eq=False)
class Checked:
    """One file's findings, without the arrays that they were found in.

    Attributes:
        file: as it was given on the command line.
        path: where it lies, absolute.
        status: 0 clean, 1 findings at or above the severity to fail on, 2 could not run or a rule crashed.
        problem: why it could not be read, in one sentence, else "".
        title: the batch's.
        shape: (B, T, V), or None where it could not be read.
        mask: the mask in use.
        value: the number now; None where it is no scalar.
        findings: without their repaired batches.
        of_the_loop: the codes of the findings about the loop that printed the number, not about the batch.
        printed: what the loop printed, or None.
        outcomes: those of every selected rule.
        reading: how the file was laid out.
    """

    file: str
    path: Path
    status: int
    problem: str = ""
    title: str = ""
    shape: tuple[int, int, int] | None = None
    mask: str = ""
    value: float | None = None
    findings: tuple[Finding, ...] = ()
    of_the_loop: frozenset[str] = frozenset()
    printed: str | None = None
    outcomes: tuple[Outcome, ...] = ()
    reading: Reading = field(default_factory=lambda: Reading({}))

    @property
    def crashes(self) -> tuple[Crash, ...]:
        """The rules that failed."""
        return tuple(_crash(outcome) for outcome in self.outcomes if outcome.state == "crashed")

    def count(self, severity: str) -> int:
        """How many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    def states(self) -> "Counter[str]":
        """How many rules ended in each state."""
        return Counter(outcome.state for outcome in self.outcomes)


def checked(file: str, path: Path, diagnosis: Diagnosis, fail_on: str, reading: Reading) -> Checked:
    """What a diagnosis says about a file; findings below `fail_on` leave it clean, a crashed rule never does."""
    analysis = diagnosis.analysis
    return Checked(
        file=file,
        path=path,
        status=_status(diagnosis, fail_on),
        title=analysis.batch.title or "",
        shape=analysis.batch.shape,
        mask=analysis.mask_name,
        value=_value(analysis),
        findings=tuple(replace(finding, repaired=None) for finding in diagnosis.findings),
        of_the_loop=frozenset(finding.code for finding in diagnosis.findings if finding.is_of_the_loop),
        printed=analysis.batch.reported,
        outcomes=diagnosis.outcomes,
        reading=replace(reading, arguments={}),
    )


def worst_status(files: "tuple[Checked, ...] | list[Checked]") -> int:
    """The exit status of several files: the largest."""
    return max((one.status for one in files), default=CLEAN)


def runs(cells: np.ndarray) -> tuple[Run, ...]:
    """Cells [B, T] as runs of timesteps, in order.

    >>> [str(run) for run in runs(np.array([[True, True, False], [False, False, True]]))]
    ['sequence 0, timesteps 0 to 1', 'sequence 1, timestep 2']
    """
    edges = np.diff(np.pad(cells, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts, ends = np.argwhere(edges == 1).tolist(), np.argwhere(edges == -1).tolist()
    return tuple(Run(sequence, first, end - 1) for (sequence, first), (_, end) in zip(starts, ends, strict=True))


def places(cells: np.ndarray, most: int = 3) -> str:
    """How many timesteps, and where the first are; "" where there are none.

    >>> places(np.array([[True, True, False, True]]), most=1)
    '3 timesteps: sequence 0, timesteps 0 to 1; …'
    """
    found = runs(cells)
    shown = "; ".join([*map(str, found[:most]), *(["…"] if len(found) > most else [])])
    return f"{count_text(int(cells.sum()), 'timestep', 'timesteps')}: {shown}" if found else ""


def count_text(number: int, one: str, many: str) -> str:
    """A count with its noun.

    >>> count_text(1, "error", "errors"), count_text(0, "error", "errors")
    ('1 error', '0 errors')
    """
    return f"{number:,} {one if number == 1 else many}"


def reference_of(path: Path) -> str:
    """The path for other programs: relative if it lies below this folder, else absolute; with slashes."""
    here = Path.cwd()
    return (path.relative_to(here) if path.is_relative_to(here) else path).as_posix()


def _status(diagnosis: Diagnosis, fail_on: str) -> int:
    if any(outcome.state == "crashed" for outcome in diagnosis.outcomes):
        return COULD_NOT_RUN
    serious = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    return FOUND if any(finding.severity in serious for finding in diagnosis.findings) else CLEAN


def _value(analysis: Analysis) -> float | None:
    return float(analysis.value) if analysis.is_scalar else None


def _crash(outcome: Outcome) -> Crash:
    kind, message = ("", "") if outcome.exception is None else (outcome.exception.kind, outcome.exception.message)
    return Crash(outcome.code, kind, message, outcome.reason)
