"""What `diagnose` answers with: findings, and the outcome of every rule."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.digits import number_text
from lossviz.notebook import paragraph, table
from lossviz.rules._core.rule import SEVERITIES

__all__ = ["STATES", "Diagnosis", "Finding", "Outcome", "Raised"]

STATES = ("found", "passed", "skipped", "crashed")
_PLURAL = {"error": "errors", "warning": "warnings", "info": "infos"}


@dataclass(frozen=True, eq=False)
class Finding:
    """What is wrong, where, by how much, and what to write instead.

    Attributes:
        code: the rule's; `name`: likewise; `title`: the rule's first line.
        severity: "error", "warning" or "info".
        message: one sentence with this batch's numbers.
        cells: [B, T] bool, the timesteps that show it.
        evidence: named numbers; "printed" among them where the number that the loop printed is what tells.
        fix: what to write, by library.
        loss_if_fixed: the number after the fix, where it can be computed, else None.
        effect: |loss_if_fixed − the number now|, which is the printed one for a rule of that; infinite where only the
            number now is NaN or infinite, NaN if unknown.
        repaired: the batch after the fix, or None.

    >>> from lossviz import Batch, diagnose
    >>> logits = np.zeros((1, 2, 3))
    >>> logits[0, 1] = np.nan
    >>> [finding] = diagnose(Batch.from_arrays(logits=logits, targets=[[1, 2]], lengths=[1]), select="NUM01").findings
    >>> finding.code, finding.severity, finding.cells.tolist(), round(finding.loss_if_fixed, 4), finding.effect
    ('NUM01', 'error', [[False, True]], 1.0986, 0.0)
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

    @property
    def is_of_the_loop(self) -> bool:
        """Whether the batch is as it should be, and the formula that printed the number is not."""
        return self.repaired is None and "printed" in self.evidence


@dataclass(frozen=True)
class Raised:
    """The exception that ended a rule.

    Attributes:
        kind: its class, such as "ValueError".
        message: what it said.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What became of one rule.

    Attributes:
        code: the rule's.
        state: one of `STATES`. A rule whose repair crashed counts as crashed, and what it found stays a finding.
        reason: why it was skipped, in words, or the traceback of a crash; else "".
        exception: what a crashed rule raised, else None.
    """

    code: str
    state: str
    reason: str = ""
    exception: Raised | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """Findings, most serious first, then by effect on the number; the outcome of every rule, by code.

    Attributes:
        analysis: what was examined.
        findings: what is wrong; empty where nothing was found.
        outcomes: one for each rule that was asked for, in the order of the catalogue.

    >>> from lossviz import Batch, diagnose
    >>> diagnose(Batch.from_arrays(logits=np.eye(3)[None], targets=[[0, 1, 2]]), select="NUM01, NUM05")
    Diagnosis(no findings in 2 rules)
    """

    analysis: Analysis
    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def worst(self) -> str | None:
        """The severity of the most serious finding, or None."""
        return self.findings[0].severity if self.findings else None

    @property
    def summary(self) -> str:
        """How many findings of each severity, in how many rules: "2 errors, 1 warning in 21 rules, 5 skipped"."""
        found = Counter(finding.severity for finding in self.findings)
        counted = [_count(found[name], name, _PLURAL[name]) for name in SEVERITIES if found[name]]
        states = Counter(outcome.state for outcome in self.outcomes)
        rest = [f"{states[state]} {state}" for state in ("skipped", "crashed") if states[state]]
        rules = _count(len(self.outcomes), "rule", "rules")
        return ", ".join([f"{', '.join(counted) or 'no findings'} in {rules}", *rest])

    def finding(self, code: str) -> Finding | None:
        """What one rule found, or None."""
        return next((finding for finding in self.findings if finding.code == code), None)

    def outcome(self, code: str) -> Outcome | None:
        """What became of one rule, or None where it was not asked for."""
        return next((outcome for outcome in self.outcomes if outcome.code == code), None)

    def _repr_html_(self) -> str:
        rows = [
            (one.code, one.severity, one.message, f"{int(one.cells.sum()):,}", _loss_text(one.loss_if_fixed))
            for one in self.findings
        ]
        head = ("code", "severity", "finding", "timesteps", "loss if fixed")
        return paragraph(repr(self), bold=True) + (table(rows, head=head) if rows else "")

    def __repr__(self) -> str:
        codes = ", ".join(finding.code for finding in self.findings)
        return f"Diagnosis({self.summary}{': ' * bool(codes)}{codes})"


def _loss_text(loss: float | None) -> str:
    return "" if loss is None else number_text(loss)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
