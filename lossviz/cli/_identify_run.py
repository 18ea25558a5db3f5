"""`lossviz identify` of a recorded run: the formula that explains most printed numbers, and the steps it doesn't."""

import argparse
import json
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from textwrap import wrap
from typing import Any

from lossviz.cli._work import compute
from lossviz.display_text import printable
from lossviz.errors import InputError, LossvizError
from lossviz.identification import Match, identify
from lossviz.measuring import usual_settings
from lossviz.recording import Run, open_run

__all__ = ["run"]

_SHOWN = 12  # steps that a formula does not explain


@dataclass
class Explained:
    """The printed numbers of a run, and what explains them.

    Attributes:
        printed: the number of each step that has one.
        steps: the steps that each formula explains, by its code.
        match: a match by its code, of the first step where it came first.
    """

    printed: dict[int, str] = field(default_factory=dict)
    steps: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    match: dict[str, Match] = field(default_factory=dict)
    problems: dict[int, str] = field(default_factory=dict)

    def add(self, step: int, matches: tuple[Match, ...]) -> None:
        """Count what explains a step: every formula that gives its number, the aliases among them."""
        for match in matches:
            self.match.setdefault(match.code, match)
        for code in {code for match in matches for code in (match.code, *match.aliases)}:
            self.steps[code].append(step)

    def best(self) -> Match | None:
        """The formula that explains most steps; of several the likeliest."""
        known = [code for code in self.steps if code in self.match]
        code = min(known, key=lambda code: (-len(self.steps[code]), self.match[code].rank), default=None)
        return None if code is None else self.match[code]


def run(arguments: argparse.Namespace, folder: str) -> int:
    """Identify every printed number of a run; 1 where no formula explains any."""
    opened = open_run(folder)
    explained = _explained(opened, arguments)
    if not explained.printed and not explained.problems:
        raise InputError(f"`{printable(folder)}` has no printed number. Pass `reported=` to `Recorder.step`.")
    sys.stdout.write(_as_json(opened, explained) if arguments.json else _as_text(opened, explained))
    return 0 if explained.best() else 1


def _explained(opened: Run, arguments: argparse.Namespace) -> Explained:
    explained = Explained()
    for step in opened.steps:
        number = opened.printed(step)
        if number is None:
            continue
        try:
            batch = opened.batch(step)
            analysis = compute(batch, usual_settings(batch, arguments.mask))
            matches = identify(analysis, number, **_options(opened, step, arguments))
        except LossvizError as error:
            explained.problems[step] = str(error)
            continue
        explained.printed[step] = number
        explained.add(step, matches)
    return explained


def _options(opened: Run, step: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """What the recorder knows of the step, unless the command line says otherwise."""
    pieces = opened.accumulation(step)
    given = {
        "accumulation_steps": arguments.accumulation_steps or (pieces if pieces > 1 else None),
        "smoothing": arguments.smoothing or opened.details(step).get("label_smoothing") or None,
        "precision": arguments.precision,
    }
    return {name: value for name, value in given.items() if value is not None}


def _as_text(opened: Run, explained: Explained) -> str:
    lines = [f"{printable(str(opened.path), most=200)}: {len(explained.printed)} printed numbers", ""]
    best = explained.best()
    if best is None:
        lines.append("No formula explains any of them.")
    else:
        steps = explained.steps[best.code]
        others = [step for step in explained.printed if step not in steps]
        many, title = f"{len(steps)} of {len(explained.printed)}", printable(best.title, most=200)
        lines += wrap(f"{best.code} explains {many} printed numbers: {title}.", 118)
        lines += wrap(f"At step {steps[0]}: {printable(best.explanation, most=500)}", 118)
        if others:
            shown = ", ".join(map(str, others[:_SHOWN])) + (", …" if len(others) > _SHOWN else "")
            lines.append(f"Not explained: step{'s' if len(others) > 1 else ''} {shown}.")
    if explained.problems:
        step, reason = next(iter(explained.problems.items()))
        lines.append(f"Not read: {len(explained.problems)} steps; step {step}: {reason}")
    return "\n".join(lines) + "\n"


def _as_json(opened: Run, explained: Explained) -> str:
    best = explained.best()
    document = {
        "run": str(opened.path),
        "printed": explained.printed,
        "best": None if best is None else best.code,
        "formulas": dict(sorted(explained.steps.items(), key=lambda one: -len(one[1]))),
        "problems": explained.problems,
    }
    return json.dumps(document, indent=2, allow_nan=False) + "\n"
