"""`lossviz check`: the doctor on files, with an exit status for pipelines."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from lossviz.batch import Batch
from lossviz.cli import _check_run
from lossviz.cli._files import open_reading, parse_names, resolve
from lossviz.cli._work import compute
from lossviz.cli.check_formats import (
    COULD_NOT_RUN,
    Checked,
    as_github,
    as_json,
    as_sarif,
    as_text,
    checked,
    worst_status,
)
from lossviz.display_text import printable
from lossviz.errors import InputError, LossvizError
from lossviz.layouts import batch_of
from lossviz.recording import is_run
from lossviz.rules import RULES, chosen, diagnose
from lossviz.settings import Settings

__all__ = ["run"]

Renderer = Callable[[Iterable[Checked]], Iterator[str]]


def run(arguments: argparse.Namespace) -> int:
    """Check every file, print what was found, and return the worst status."""
    if not chosen(RULES, arguments.select, arguments.ignore):  # refuses unknown codes before anything is read
        raise InputError("`--select` and `--ignore` leave no rule to run. Leave one of them out, or name fewer codes.")
    if arguments.reported is not None and len(arguments.files) > 1:
        raise InputError(f"`--reported` is the number of one FILE; got {len(arguments.files)}. Check one at a time.")
    parse_names(arguments.names)  # refuses a word without `=` before anything is read
    if arguments.step is None and any(map(is_run, arguments.files)):
        if len(arguments.files) > 1:
            raise InputError("A recorded run can't be checked together with other files. Leave the other FILEs out.")
        return _check_run.run(arguments, arguments.files[0])
    done: list[Checked] = []
    for part in _renderer(arguments)(_each(arguments, done)):
        sys.stdout.write(part)
        sys.stdout.flush()
    return worst_status(done)


def _renderer(arguments: argparse.Namespace) -> Renderer:
    renderers: dict[str, Renderer] = {
        "text": partial(as_text, fix=arguments.fix, verbose=arguments.verbose),
        "json": as_json,
        "sarif": as_sarif,
        "github": as_github,
    }
    return renderers[arguments.format]


def _each(arguments: argparse.Namespace, done: list[Checked]) -> Iterator[Checked]:
    """Checks one file after the other; reports what could not run on stderr and goes on with the next file."""
    for file in arguments.files:
        one = _check(file, arguments)
        done.append(one)
        if one.problem:
            _complain(file, one.problem)
        for crash in one.crashes:
            _complain(file, f"{crash} `--ignore {crash.code}` leaves it out, `--verbose` shows where.")
        yield one


def _check(file: str, arguments: argparse.Namespace) -> Checked:
    path = _path(file)
    try:
        reading = open_reading(file, arguments, arguments.reported)
        batch = _reported(batch_of(reading), arguments.reported)
        diagnosis = diagnose(
            compute(batch, _settings(arguments.reduction)), select=arguments.select, ignore=arguments.ignore
        )
    except (LossvizError, OSError, MemoryError) as error:
        problem = str(error) or "there is not enough memory for this batch."
        return Checked(file, path, COULD_NOT_RUN, problem=problem)
    return checked(file, path, diagnosis, arguments.fail_on, reading)


def _settings(reduction: str | None) -> Settings | None:
    return None if reduction is None else Settings(reduction=reduction)


def _reported(batch: Batch, number: str | None) -> Batch:
    return batch if number is None else batch.replace(reported=number)


def _path(file: str) -> Path:
    """Where a file or a sample lies; links are not followed, so that it stays inside its repository."""
    try:
        return Path(os.path.abspath(file)) if Path(file).exists() else resolve(file)  # noqa: PTH100
    except (LossvizError, OSError):
        return Path(os.path.abspath(file))  # noqa: PTH100


def _complain(file: str, problem: str) -> None:
    sys.stderr.write(f"lossviz: {printable(file, most=500)}: {printable(problem, most=1_200)}\n")
    sys.stderr.flush()
