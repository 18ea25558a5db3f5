"""The doctor on every step of a run: each finding is counted over the steps."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lossviz.analysis import Analysis, analyze
from lossviz.batch import Batch
from lossviz.errors import LossvizError
from lossviz.fixes import fix_of
from lossviz.measuring import usual_settings
from lossviz.rules import RULES, SEVERITIES, Finding, diagnose
from lossviz.runs._opened import OpenedRun
from lossviz.settings import Settings

__all__ = ["RunDiagnosis", "RunFinding", "diagnose_run"]

Analyze = Callable[[Batch, Settings], Analysis]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class RunFinding:
    """One rule's findings over a run.

    Attributes:
        first: the finding of the first step that has one.
        steps: the steps that have one, in order.
    """

    first: Finding
    steps: tuple[int, ...]


@dataclass(frozen=True)
class RunDiagnosis:
    """What the doctor says of a run.

    Attributes:
        steps: the recorded steps.
        findings: the most serious first, then by how many steps have them.
        problems: why a step could not be checked, by its number.
    """

    steps: tuple[int, ...]
    findings: tuple[RunFinding, ...]
    problems: dict[int, str] = field(default_factory=dict)

    def codes(self, step: int) -> tuple[str, ...]:
        """The codes of the findings at a step, in the order of `findings`."""
        return tuple(one.first.code for one in self.findings if step in one.steps)


def diagnose_run(
    run: OpenedRun,
    *,
    select: str | None = None,
    ignore: str | None = None,
    analyze: Analyze = analyze,
    progress: Progress | None = None,
) -> RunDiagnosis:
    """Check every step of a run.

    Args:
        run: from `open_run`.
        select: codes of the only rules to run, as in `diagnose`; `ignore`: of those to leave out.
        ignore: see above.
        analyze: what analyzes a step's batch under settings.
        progress: called as `progress(done, total)` after each step; raise in it to stop.

    >>> import tempfile
    >>> import lossviz
    >>> from lossviz.runs import open_run
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with lossviz.Recorder(f"{folder}/run", every=1, pad_id=0, eos_id=2) as recorder:
    ...         recorded = [recorder.step(step=step, targets=[[3, 1, 0]], losses=[[0.5, 2, 1]]) for step in range(2)]
    ...     diagnosis = diagnose_run(open_run(f"{folder}/run"), select="SHF07")
    >>> [(one.first.code, one.steps) for one in diagnosis.findings]
    [('SHF07', (0, 1))]
    """
    first: dict[str, Finding] = {}
    steps: dict[str, list[int]] = {}
    problems: dict[int, str] = {}
    for done, step in enumerate(run.step_numbers, 1):
        try:
            findings = diagnose(_analyzed(run, step, analyze), select=select, ignore=ignore).findings
        except LossvizError as error:
            problems[step], findings = str(error), ()
        for finding in (_as_recorded(one, run, step) for one in findings):
            first.setdefault(finding.code, finding)
            steps.setdefault(finding.code, []).append(step)
        if progress is not None:
            progress(done, len(run.step_numbers))
    counted = [RunFinding(first[code], tuple(at)) for code, at in steps.items()]
    ordered = sorted(counted, key=lambda one: (SEVERITIES.index(one.first.severity), -len(one.steps)))
    return RunDiagnosis(run.step_numbers, tuple(ordered), problems)


def _analyzed(run: OpenedRun, step: int, analyze: Analyze) -> Analysis:
    """The analysis of a step; the recorder counted its micro-batches and ranks, so that no rule has to guess them."""
    batch, pieces = run.batch(step), _pieces(run, step)
    settings = usual_settings(batch)
    known = pieces > 1 and batch.shape[0] % pieces == 0
    return analyze(batch, settings.replace(accumulation_steps=pieces) if known else settings)


def _pieces(run: OpenedRun, step: int) -> int:
    return run.recorded.accumulation(step) * run.recorded.ranks_of(step)


def _as_recorded(finding: Finding, run: OpenedRun, step: int) -> Finding:
    """What a batch alone can't know: that means are of ranks (RED03), that Keras lost the layers' mask (MOD08)."""
    if finding.code == "RED01" and _pieces(run, step) == run.recorded.ranks_of(step) > 1:
        return _called(finding, "RED03", run, step, message=finding.message.replace("micro-batches", "ranks"))
    if finding.code != "PAD01" or run.recorded.details(step).get("keras_mask") is not False:
        return finding
    [rule] = [rule for rule in RULES if rule.code == "MOD08"]
    return _called(finding, "MOD08", run, step, severity=rule.severity)


def _called(finding: Finding, code: str, run: OpenedRun, step: int, **changes: Any) -> Finding:
    """A finding under the code of another rule."""
    [rule] = [rule for rule in RULES if rule.code == code]
    fix = fix_of([code], analyze(run.batch(step)))
    return replace(finding, code=code, name=rule.name, title=rule.title, fix=fix, **changes)
