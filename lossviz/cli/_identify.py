"""`lossviz identify`: which formula gives a printed number, as text or as JSON."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path, PurePath
from textwrap import indent, wrap
from typing import Any

from lossviz import tables
from lossviz.analysis import Analysis
from lossviz.cli import _identify_run
from lossviz.cli._files import open_reading, read_as, reading_record, shape_text
from lossviz.cli._work import compute
from lossviz.digits import number_text, numbers_in
from lossviz.display_text import printable
from lossviz.errors import InputError
from lossviz.formats import FORMATS
from lossviz.identification import Match, answer, identify
from lossviz.layouts import Reading, batch_of
from lossviz.measuring import usual_settings
from lossviz.recording import is_run
from lossviz.reductions import LOOP_OPTIONS
from lossviz.samples import SAMPLES

__all__ = ["run"]

PRINTED = ("decimals", "accuracy", "precision")
"""What the user says about the printed number, besides the options of the training loop."""
COLUMNS = ("rank", "code", "kind", "value", "difference", "title")
EXACT = 1e-9
UNSAID = f"{tables.SAY_LOOP}: {', '.join(option.flag for option in LOOP_OPTIONS)}."
SUFFIXES = {suffix for one in FORMATS for suffix in one.suffixes}
Reported = str | list[str]
Read = list[tuple[Analysis, Reported, Reading]]


def run(arguments: argparse.Namespace) -> int:
    """Identify the number of one or several files and print the formulas that give it; returns 1 if none does."""
    if arguments.step is None and is_run(arguments.file):
        return _identify_run.run(arguments, arguments.file)
    asked = _asked(arguments)
    in_common = len(asked) > 1 and asked[0][1] is asked[1][1]
    read = [_read(file, words, arguments) for file, words in asked]
    loop = {option.name: getattr(arguments, option.name) for option in LOOP_OPTIONS}
    printed = {name: getattr(arguments, name) for name in PRINTED}
    reported = [read[0][1]] if in_common else [one[1] for one in read]
    matches = identify([one[0] for one in read], reported, **printed, **loop)
    document = _as_json(read, printed | loop, matches) if arguments.json else _as_text(read, loop, matches)
    sys.stdout.write(document)
    return 0 if matches else 1


def _asked(arguments: argparse.Namespace) -> list[tuple[str, Sequence[str]]]:
    """Each file and what was printed for it; several files before one number share it, as one list."""
    further = [word for word in arguments.number if _is_file(word)]
    words = [word for word in arguments.number if word not in further]
    asked = [(file, [number]) for file, number in arguments.more]
    if not further:
        return [(arguments.file, words), *asked]
    files = [arguments.file, *further]
    numbers = [number for word in words for number in _numbers(word)]
    if len(numbers) == len(files) or not numbers:
        own = [[number] for number in numbers] or [[] for _ in files]
        return [*zip(files, own, strict=True), *asked]
    if len(numbers) > 1 or asked:
        raise InputError(
            f"`NUMBER` must be one that was printed for all {len(files)} files, or one for each; got {len(numbers)}"
            f"{' and --and' if asked else ''}. Leave out the files whose number you don't know."
        )
    return [(file, numbers) for file in files]


def _is_file(word: str) -> bool:
    """Whether a word among the numbers is really another file, or the name of a sample."""
    known = any(word == sample.name for sample in SAMPLES) or (word and "\0" not in word and Path(word).is_file())
    return bool(known) or PurePath(word).suffix.lower() in SUFFIXES


def _read(file: str, words: Sequence[str], arguments: argparse.Namespace) -> tuple[Analysis, Reported, Reading]:
    """A batch and what was printed for it: one number, or one per sequence or timestep."""
    numbers = [number for word in words for number in _numbers(word)]
    reading = open_reading(file, arguments, numbers[0] if len(numbers) == 1 else None)
    batch = batch_of(reading)
    if not numbers and batch.reported is None:
        raise InputError(
            f"`NUMBER` is missing, and `{printable(file)}` has no `reported`. "
            "Give what your loop printed, such as `lossviz identify batch.npz 1.2545`."
        )
    reported = numbers[0] if len(numbers) == 1 else numbers or str(batch.reported)
    return compute(batch, usual_settings(batch, arguments.mask)), reported, reading


def _numbers(word: str) -> tuple[str, ...]:
    """The numbers in a word, parsed as on the page Identify: with commas, spaces or brackets."""
    numbers = numbers_in(word)
    if any("," in number for number in numbers):
        raise InputError(
            f"`NUMBER` must have a decimal point, such as 1.2545; got `{printable(word)}`. "
            "Two numbers have a space between them."
        )
    return numbers


def _as_json(read: Read, options: dict[str, Any], matches: tuple[Match, ...]) -> str:
    batches = [
        {"title": analysis.batch.title, "shape": analysis.batch.shape, "mask": analysis.mask_name, "reported": reported}
        | reading_record(reading)
        for analysis, reported, reading in read
    ]
    document = {"batches": batches, "options": options, "answer": _sentence(read, matches)}
    return json.dumps(document | {"matches": tables.match_records(matches)}, indent=2, allow_nan=False) + "\n"


def _as_text(read: Read, loop: dict[str, Any], matches: tuple[Match, ...]) -> str:
    lines = [line for one in read for line in _batch(*one)]
    lines += ["", *_wrapped(_sentence(read, matches))]
    if matches:
        lines += ["", _table(matches), "", *_first(matches[0])]
    elif len(read) == 1 and isinstance(read[0][1], str):
        lines += _wrapped(tables.nearest_convention(read[0][0], float(read[0][1])))
    if not matches and not any(loop.values()):
        lines += _wrapped(UNSAID)
    return "\n".join(lines) + "\n"


def _batch(analysis: Analysis, reported: Reported, reading: Reading) -> list[str]:
    what = f"{shape_text(analysis.batch.shape)}, mask: {analysis.mask_name}"
    return [
        printable(analysis.batch.title or "Batch", most=120),
        f"{what}, printed: {printable(_printed(reported), most=80)}",
        *read_as(reading),
    ]


def _sentence(read: Read, matches: tuple[Match, ...]) -> str:
    shared = len({_printed(one[1]) for one in read}) == 1
    return printable(answer(matches, _printed(read[0][1]) if shared else None), most=1000)


def _printed(reported: Reported) -> str:
    return reported if isinstance(reported, str) else ", ".join(reported)


def _wrapped(text: str) -> list[str]:
    return wrap(text, 118, break_long_words=False, break_on_hyphens=False)


def _table(matches: Sequence[Match]) -> str:
    rows = [COLUMNS, *map(_row, matches)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    right = [name in ("rank", "value", "difference") for name in COLUMNS]
    cells = ([w.rjust(n) if r else w.ljust(n) for w, n, r in zip(row, widths, right, strict=True)] for row in rows)
    return "\n".join("  ".join(row).rstrip() for row in cells)


def _row(match: Match) -> tuple[str, ...]:
    """A match as the table shows it: the codes of a combination, and whether it is likely a coincidence."""
    exact = match.difference == 0 or abs(match.difference) <= EXACT * abs(match.value)
    title = printable(match.title, most=90) + (" (perhaps by chance)" if match.accidental else "")
    difference = "0" if exact else number_text(match.difference)
    codes = " + ".join(match.codes or (match.code,))
    return str(match.rank), codes, match.kind, number_text(match.value), difference, title


def _first(match: Match) -> list[str]:
    """The likeliest match in full: why, what to write, and what would distinguish it from the others."""
    lines = _wrapped(f"{match.code}: {printable(match.explanation, most=500)}")
    if match.aliases:
        lines += _wrapped(f"The same number on this batch: {', '.join(match.aliases)}")
    lines += _wrapped(printable(match.how_to_distinguish, most=500))
    for library, code in match.fix.items():
        lines += ["", f"{library}:", indent(code.rstrip(), "    ")]
    return lines
