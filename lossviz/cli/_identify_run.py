"""`lossviz identify` of a recorded run: the formula that explains most printed numbers, and the steps it doesn't."""

import argparse
import json
import sys
from textwrap import wrap
from typing import Any

from lossviz.cli._work import compute
from lossviz.display_text import printable
from lossviz.errors import InputError
from lossviz.reductions import LOOP_OPTIONS
from lossviz.runs import Run, RunIdentification, identify_run, open_run

__all__ = ["run"]

_LOOP = tuple(option.name for option in LOOP_OPTIONS)
_SHOWN = 12  # formulas, and steps that none explains


def run(arguments: argparse.Namespace, folder: str) -> int:
    """Identify every printed number of a run; 1 where no formula explains any."""
    opened = open_run(folder)
    explained = identify_run(opened, mask=arguments.mask, analyze=compute, **_options(arguments))
    if not explained.printed and not explained.problems:
        raise InputError(f"`{printable(folder)}` has no printed number. Pass `reported=` to `Recorder.step`.")
    sys.stdout.write(_as_json(opened, explained) if arguments.json else _as_text(opened, explained))
    return 0 if explained.best else 1


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the command line says about the training loop; the recorder knows the rest."""
    given = {name: getattr(arguments, name) for name in ("decimals", "precision", *_LOOP)}
    return {name: value for name, value in given.items() if value is not None}


def _as_text(opened: Run, explained: RunIdentification) -> str:
    lines = [f"{printable(str(opened.recorded.path), most=200)}: {len(explained.printed)} printed numbers", ""]
    if explained.best is None:
        lines.append("No formula explains any of them.")
    rest = {*explained.printed}
    for match, steps in explained.explanations[:_SHOWN]:
        many, title = f"{len(steps)} of {len(explained.printed)}", printable(match.title, most=200)
        lines += wrap(f"{match.code} explains {many} printed numbers: {title}.", 118)
        lines += wrap(f"At step {steps[0]}: {printable(match.explanation, most=500)}", 118)
        rest -= {*steps}
    if rest and explained.best is not None:
        shown = ", ".join(map(str, sorted(rest)[:_SHOWN])) + (", …" if len(rest) > _SHOWN else "")
        lines.append(f"Not explained: step{'s' if len(rest) > 1 else ''} {shown}.")
    if explained.problems:
        step, reason = next(iter(explained.problems.items()))
        lines.append(f"Not read: {len(explained.problems)} steps; step {step}: {printable(reason, most=600)}")
    return "\n".join(lines) + "\n"


def _as_json(opened: Run, explained: RunIdentification) -> str:
    best = explained.best
    document = {
        "run": str(opened.recorded.path),
        "printed": explained.printed,
        "best": None if best is None else best.code,
        "formulas": dict(sorted(explained.steps.items(), key=lambda one: -len(one[1]))),
        "problems": explained.problems,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
