"""`lossviz check --format json`: everything that was found, for programs."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from lossviz.cli._files import reading_record
from lossviz.cli.check_formats._checked import Checked, runs, worst_status
from lossviz.rules import SEVERITIES, Finding
from lossviz.tables import plain
from lossviz.version import __version__

__all__ = ["as_json", "plain_evidence"]


def as_json(files: Iterable[Checked]) -> Iterator[str]:
    """One document: NaN and infinity are strings, and no key is ever missing."""
    read = list(files)
    counts = {severity: sum(one.count(severity) for one in read) for severity in SEVERITIES}
    document = {
        "lossviz": __version__,
        "status": worst_status(read),
        "counts": counts,
        "files": [_file(one) for one in read],
    }
    yield json.dumps(document, indent=2, allow_nan=False) + "\n"


def plain_evidence(finding: Finding) -> dict[str, Any]:
    """The named numbers of a finding, as JSON holds them."""
    return {name: plain(value) for name, value in finding.evidence.items()}


def _file(one: Checked) -> dict[str, Any]:
    return {
        "file": one.file,
        "status": one.status,
        "problem": one.problem or None,
        "title": one.title or None,
        "shape": one.shape,
        "mask": one.mask or None,
        "value": None if one.value is None else plain(one.value),
        "findings": [_finding(finding) for finding in one.findings],
        "outcomes": [
            {"code": outcome.code, "state": outcome.state, "reason": outcome.reason or None} for outcome in one.outcomes
        ],
        **reading_record(one.reading),
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "title": finding.title,
        "severity": finding.severity,
        "message": finding.message,
        "timesteps": int(finding.cells.sum()),
        "cells": [asdict(run) for run in runs(finding.cells)],
        "evidence": plain_evidence(finding),
        "fix": dict(finding.fix),
        "loss_if_fixed": None if finding.loss_if_fixed is None else plain(finding.loss_if_fixed),
        "effect": plain(finding.effect),
    }
