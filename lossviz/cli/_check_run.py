"""`lossviz check` of a recorded run: every step is checked, and each finding is counted over the steps."""

import argparse
import json
import sys

from lossviz.cli._work import compute
from lossviz.cli.check_formats import CLEAN, COULD_NOT_RUN, FOUND, count_text
from lossviz.display_text import printable
from lossviz.errors import InputError
from lossviz.rules import SEVERITIES
from lossviz.runs import Run, RunDiagnosis, diagnose_run, open_run

__all__ = ["finding_lines", "run"]


def run(arguments: argparse.Namespace, folder: str) -> int:
    """Check all steps of a run and print what was found; the exit status is that of the most serious finding."""
    if arguments.format not in ("text", "json"):
        raise InputError(f"`--format {arguments.format}` is for files; a run is printed as text or json. Leave it out.")
    opened = open_run(folder)
    found = diagnose_run(opened, select=arguments.select, ignore=arguments.ignore, analyze=compute)
    render = _as_json if arguments.format == "json" else _as_text
    sys.stdout.write(render(opened, found))
    serious = SEVERITIES[: SEVERITIES.index(arguments.fail_on) + 1]
    if any(one.first.severity in serious for one in found.findings):
        return FOUND
    return COULD_NOT_RUN if found.problems else CLEAN


def _as_text(opened: Run, found: RunDiagnosis) -> str:
    lines = [
        f"{printable(str(opened.recorded.path), most=200)}: {count_text(len(found.steps), 'step', 'steps')} recorded",
        "",
    ]
    lines += finding_lines(found) if found.findings else ["Nothing was found.", *finding_lines(found)]
    return "\n".join(lines) + "\n"


def finding_lines(found: RunDiagnosis) -> list[str]:
    """Each finding with its steps in a line, then how many steps could not be checked."""
    lines = []
    for one in found.findings:
        where = f"in {len(one.steps):,} of {len(found.steps):,} steps, first at step {one.steps[0]}"
        lines.append(f"{one.first.code} {one.first.severity}, {where}: {printable(one.first.message, most=1000)}")
    if found.problems:
        step, reason = next(iter(found.problems.items()))
        count = count_text(len(found.problems), "step", "steps")
        lines.append(f"{count} could not be checked; step {step}: {printable(reason, most=600)}")
    return lines


def _as_json(opened: Run, found: RunDiagnosis) -> str:
    findings = [
        {
            "code": one.first.code,
            "severity": one.first.severity,
            "message": one.first.message,
            "steps": one.steps,
            "fix": dict(one.first.fix),
        }
        for one in found.findings
    ]
    document = {
        "run": str(opened.recorded.path),
        "steps": found.steps,
        "findings": findings,
        "problems": found.problems,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
