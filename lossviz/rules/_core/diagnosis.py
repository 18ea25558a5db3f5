"""The result of `diagnose`: the findings, and the outcome of every rule."""

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
        code: the rule's code; `name`: the rule's name; `title`: the first line of the rule's docstring.
        severity: "error", "warning" or "info".
        message: one sentence with this batch's numbers.
        cells: [B, T] bool, the affected timesteps.
        evidence: named numbers.
        fix: the code to write instead, by library.
        loss_if_fixed: the number after the fix, or None if it can't be computed.
        effect: |loss_if_fixed − the current number|; for findings about the printed number, the current number is the
            printed one. Infinite if only the current number is NaN or infinite, NaN if unknown.
        repaired: the batch after the fix, or None.
        printed: the number that the training loop printed, where the finding rests on it, else "".

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
    printed: str = ""

    @property
    def is_of_the_loop(self) -> bool:
        """Whether the batch is correct and only the formula that printed the number is wrong."""
        return self.repaired is None and bool(self.printed)


@dataclass(frozen=True)
class Raised:
    """The exception that a crashed rule raised.

    Attributes:
        kind: the name of its class, such as "ValueError".
        message: its text.
    """

    kind: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """The outcome of one rule.

    Attributes:
        code: the rule's code.
        state: one of `STATES`. A rule whose repair raised is "crashed", but its finding is kept.
        reason: why the rule was skipped, in words, or the traceback if it crashed; else "".
        exception: the exception that a crashed rule raised, else None.
    """

    code: str
    state: str
    reason: str = ""
    exception: Raised | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Diagnosis:
    """The findings, most serious first and then by their effect on the number, and the outcome of every rule.

    Attributes:
        analysis: the analysis that was examined.
        findings: what is wrong; empty if nothing was found.
        outcomes: one for each selected rule, in catalogue order.

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
        """The numbers of findings by severity and of rules: "2 errors, 1 warning in 21 rules, 5 skipped"."""
        found = Counter(finding.severity for finding in self.findings)
        counted = [_count(found[name], name, _PLURAL[name]) for name in SEVERITIES if found[name]]
        states = Counter(outcome.state for outcome in self.outcomes)
        rest = [f"{states[state]} {state}" for state in ("skipped", "crashed") if states[state]]
        rules = _count(len(self.outcomes), "rule", "rules")
        return ", ".join([f"{', '.join(counted) or 'no findings'} in {rules}", *rest])

    def finding(self, code: str) -> Finding | None:
        """The finding of one rule, or None."""
        return next((finding for finding in self.findings if finding.code == code), None)

    def outcome(self, code: str) -> Outcome | None:
        """The outcome of one rule, or None if it was not selected."""
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
