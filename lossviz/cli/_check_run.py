"""`lossviz check` of a recorded run: every step is checked, and each finding is counted over the steps."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from lossviz.cli._work import compute
from lossviz.cli.check_formats import CLEAN, COULD_NOT_RUN, FOUND, count_text
from lossviz.display_text import printable
from lossviz.errors import InputError, LossvizError
from lossviz.recording import Run, open_run
from lossviz.rules import SEVERITIES, Finding, diagnose

__all__ = ["run"]


@dataclass(frozen=True)
class Counted:
    """One rule's findings over a run.

    Attributes:
        first: the finding of the first step that has one.
        steps: the steps that have one, in order.
    """

    first: Finding
    steps: tuple[int, ...]


def run(arguments: argparse.Namespace, folder: str) -> int:
    """Check all steps of a run and print what was found; the exit status is that of the most serious finding."""
    if arguments.format not in ("text", "json"):
        raise InputError(f"`--format {arguments.format}` is of files; a run is printed as text or json. Leave it out.")
    opened = open_run(folder)
    found, problems = _findings(opened, arguments)
    render = _as_json if arguments.format == "json" else _as_text
    sys.stdout.write(render(opened, found, problems))
    serious = SEVERITIES[: SEVERITIES.index(arguments.fail_on) + 1]
    if any(one.first.severity in serious for one in found):
        return FOUND
    return COULD_NOT_RUN if problems else CLEAN


def _findings(opened: Run, arguments: argparse.Namespace) -> tuple[list[Counted], dict[int, str]]:
    """The findings by severity and by how many steps have them; and why steps could not be checked."""
    first: dict[str, Finding] = {}
    steps: dict[str, list[int]] = {}
    problems: dict[int, str] = {}
    for step in opened.steps:
        try:
            diagnosis = diagnose(compute(opened.batch(step)), select=arguments.select, ignore=arguments.ignore)
        except LossvizError as error:
            problems[step] = str(error)
            continue
        for finding in diagnosis.findings:
            first.setdefault(finding.code, finding)
            steps.setdefault(finding.code, []).append(step)
    counted = [Counted(first[code], tuple(at)) for code, at in steps.items()]
    return sorted(counted, key=lambda one: (SEVERITIES.index(one.first.severity), -len(one.steps))), problems


def _as_text(opened: Run, found: Sequence[Counted], problems: dict[int, str]) -> str:
    steps = opened.steps
    lines = [f"{printable(str(opened.path), most=200)}: {count_text(len(steps), 'step', 'steps')} recorded", ""]
    for one in found:
        where = f"in {len(one.steps):,} of {len(steps):,} steps, first at step {one.steps[0]}"
        lines.append(f"{one.first.code} {one.first.severity}, {where}: {printable(one.first.message, most=1000)}")
    if not found:
        lines.append("Nothing was found.")
    if problems:
        step, reason = next(iter(problems.items()))
        lines.append(f"{count_text(len(problems), 'step', 'steps')} could not be checked; step {step}: {reason}")
    return "\n".join(lines) + "\n"


def _as_json(opened: Run, found: Sequence[Counted], problems: dict[int, str]) -> str:
    findings = [
        {
            "code": one.first.code,
            "severity": one.first.severity,
            "message": one.first.message,
            "steps": one.steps,
            "fix": dict(one.first.fix),
        }
        for one in found
    ]
    document = {"run": str(opened.path), "steps": opened.steps, "findings": findings, "problems": problems}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
