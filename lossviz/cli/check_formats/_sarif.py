"""`lossviz check --format sarif`: SARIF 2.1.0, which code scanning and editors read.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, sections 3.11 to 3.59.
"""

import json
import os
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import numpy as np

from lossviz.cli._rule import text_of
from lossviz.cli.check_formats._checked import Checked, Crash, Run, reference_of, runs, worst_status
from lossviz.cli.check_formats._json import plain_evidence
from lossviz.rules import RULES, Finding, Rule, page
from lossviz.tables import plain
from lossviz.version import __version__

__all__ = ["SCHEMA", "as_sarif"]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "info": "note"}
MOST_PLACES = 20
FINGERPRINT = "lossvizRuleAndTimesteps/v1"

Object = dict[str, Any]


def as_sarif(files: Iterable[Checked]) -> Iterator[str]:
    """One log with one run: the rules that ran, a result for each finding, a notification for what could not run."""
    read = list(files)
    ran = {outcome.code for one in read for outcome in one.outcomes}
    rules = [rule for rule in RULES if rule.code in ran]
    index = {rule.code: number for number, rule in enumerate(rules)}
    driver = {"name": "lossviz", "version": __version__, "rules": [_rule(rule) for rule in rules]}
    run = {
        "tool": {"driver": driver},
        "invocations": [_invocation(read, index)],
        "results": [_result(finding, one, index) for one in read for finding in one.findings],
    }
    yield json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, allow_nan=False) + "\n"


def _rule(rule: Rule) -> Object:
    markdown = page(rule)
    return {
        "id": rule.code,
        "name": rule.name,
        "shortDescription": {"text": _message(f"{rule.title}.")},
        "fullDescription": {"text": _message(" ".join(rule.sections.get("What it checks", rule.title).split()))},
        "help": {"text": _message(text_of(markdown, indent="")), "markdown": _message(markdown)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {"tags": [rule.code[:3]]},
    }


def _invocation(files: list[Checked], index: dict[str, int]) -> Object:
    notes = [_unread(one) for one in files if one.problem]
    notes += [_crash(crash, one, index) for one in files for crash in one.crashes]
    return {
        "executionSuccessful": not notes,
        "exitCode": worst_status(files),
        "toolExecutionNotifications": notes,
    }


def _unread(one: Checked) -> Object:
    return {"level": "error", "message": {"text": _message(one.problem)}, "locations": [_location(one)]}


def _crash(crash: Crash, one: Checked, index: dict[str, int]) -> Object:
    return {
        "level": "error",
        "message": {"text": _message(str(crash))},
        "locations": [_location(one)],
        "associatedRule": {"id": crash.code, "index": index[crash.code]},
        "exception": {"kind": crash.kind, "message": crash.message},
    }


def _result(finding: Finding, one: Checked, index: dict[str, int]) -> Object:
    loss = {} if finding.loss_if_fixed is None else {"lossIfFixed": plain(finding.loss_if_fixed)}
    return {
        "ruleId": finding.code,
        "ruleIndex": index[finding.code],
        "level": LEVELS[finding.severity],
        "message": {"text": _message(finding.message)},
        "locations": [_location(one, runs(finding.cells)[:MOST_PLACES])],
        "partialFingerprints": {FINGERPRINT: _fingerprint(finding)},
        "properties": {
            "timesteps": int(finding.cells.sum()),
            "evidence": plain_evidence(finding),
            "fix": dict(finding.fix),
            **loss,
        },
    }


def _location(one: Checked, where: tuple[Run, ...] = ()) -> Object:
    """GitHub shows a result only where it has a line, although a batch has none."""
    physical = {"artifactLocation": {"uri": _uri(one)}, "region": {"startLine": 1}}
    logical = [{"fullyQualifiedName": str(run), "kind": "element"} for run in where]
    return {"physicalLocation": physical} | ({"logicalLocations": logical} if logical else {})


def _uri(one: Checked) -> str:
    reference = reference_of(one.path)
    return one.path.as_uri() if reference == one.path.as_posix() else quote(os.fsencode(reference))


def _message(text: str) -> str:
    """Braces would be placeholders, and brackets before parentheses links (3.11.5, 3.11.6)."""
    known = text.encode("utf-8", "backslashreplace").decode()  # half a surrogate pair is no character
    return known.replace("{", "{{").replace("}", "}}").replace("](", "] (")


def _fingerprint(finding: Finding) -> str:
    """The same rule on the same timesteps is the same result, whatever its words."""
    cells = np.ascontiguousarray(finding.cells)
    return sha256(f"{finding.code} {cells.shape} ".encode() + np.packbits(cells).tobytes()).hexdigest()
