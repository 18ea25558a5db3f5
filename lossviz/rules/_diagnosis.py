"""What `diagnose` answers with: findings, and the outcome of every rule."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lossviz.analysis import Analysis
from lossviz.batch import Batch

__all__ = ["STATES", "Diagnosis", "Finding", "Outcome"]

STATES = ("found", "passed", "skipped", "crashed")


@dataclass(frozen=True, eq=False)
class Finding:
    """What is wrong, where, by how much, and what to write instead.

    Attributes:
        code: the rule's; `name`: likewise; `title`: the rule's first line.
        severity: "error", "warning" or "info".
        message: one sentence with this batch's numbers.
        cells: [B, T] bool, the timesteps that show it.
        evidence: named numbers.
        fix: what to write, by library.
        loss_if_fixed: the number after the fix, where it can be computed, else None.
        effect: |loss_if_fixed − the number now|, NaN where unknown.
        repaired: the batch after the fix, or None.
    """

    code: str
    name: str
    title: str
    severity: str
    message: str
    cells: np.ndarray = field(repr=False)
    evidence: Mapping[str, float | int | str] = field(repr=False)
    fix: Mapping[str, str] = field(repr=False)
    loss_if_fixed: float | None = None
    effect: float = float("nan")
    repaired: Batch | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Outcome:
    """What became of one rule: its code, one of `STATES`, and the reason in words ("" where it found or passed)."""

    code: str
    state: str
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Diagnosis:
    """Findings, most serious first, then by effect on the number; the outcome of every rule, by code."""

    analysis: Analysis = field(repr=False)
    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...] = field(repr=False)
