"""Numbers that are a mean over several steps, as a trainer logs them: what each step would print, averaged.

Hugging Face averages the steps since the last log, each with the same weight; Keras the batches of the epoch so far,
each with its number of rows.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.conventions import compare_conventions
from lossviz.errors import InputError
from lossviz.identification import Match, identify, read_printed
from lossviz.reductions import Options
from lossviz.runs._opened import OpenedRun

__all__ = ["explained_mean", "is_mean", "steps_of"]

Part = tuple[Analysis, dict[str, Any]]


def is_mean(run: OpenedRun, step: int) -> bool:
    """Whether the number printed for a step is a mean over several steps, and the step alone explains none."""
    recorded = run.recorded
    return recorded.reported(step) is not None and recorded.window(step) > 1 and recorded.printed(step) is None


def steps_of(run: OpenedRun, step: int) -> tuple[int, ...]:
    """The steps that a printed mean is over.

    Raises:
        InputError: if one of them was not recorded.
    """
    window = run.recorded.window(step)
    steps = tuple(one for one in run.step_numbers if step - window < one <= step)
    there = len(steps)
    if there < window:
        raise InputError(
            f"The number printed at step {step} is a mean over {window} steps, of which {there} "
            f"{'was' if there == 1 else 'were'} recorded. Record with `every=1`, or log every step."
        )
    return steps


def explained_mean(run: OpenedRun, steps: Sequence[int], parts: Sequence[Part], number: str) -> tuple[Match, ...]:
    """The conventions whose numbers at several steps have a printed mean, likeliest first.

    Args:
        run: which the steps are of.
        steps: what the mean is over.
        parts: the analysis and the options of each step.
        number: the mean, as it was printed.
    """
    tables = [_numbers(*part) for part in parts]
    rows = [sum(entry["rows"] for entry in run.recorded.entries(step)) for step in steps]
    weights = rows if run.recorded.manifest.trainer == "keras" else [1] * len(steps)
    printed = read_printed(number)
    hits = [
        code for code in tables[0] if printed.is_hit(float(np.average([one[code] for one in tables], weights=weights)))
    ]
    return _as_matches(hits, tables[0], *parts[0])


def _numbers(analysis: Analysis, options: dict[str, Any]) -> dict[str, float]:
    """What each convention gives of a step, by its code."""
    known = {name: value for name, value in options.items() if name in Options.names()}
    table = compare_conventions(analysis, **known)
    return dict(zip(table["code"], table["value"], strict=True))


def _as_matches(
    codes: Sequence[str], values: dict[str, float], analysis: Analysis, options: dict[str, Any]
) -> tuple[Match, ...]:
    """These conventions as `identify` words and ranks them, at the first of the steps."""
    found: dict[str, Match] = {}
    for code in codes:
        for match in identify(analysis, float(values[code]), **options):
            if match.code == code or (match.code in codes and code in match.aliases):
                found.setdefault(match.code, match)
    return tuple(sorted(found.values(), key=lambda match: match.rank))
