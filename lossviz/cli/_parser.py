"""The arguments of the command, and their help; docs/commands.md is generated from here."""

import argparse
from collections.abc import Callable, Sequence
from importlib import import_module
from textwrap import indent
from typing import NoReturn

from lossviz.cli._options import (
    FILE,
    add_layout,
    add_loop_options,
    add_names,
    add_reduction,
    add_step,
    take_negative_numbers,
)
from lossviz.cli._parser_check import CHECK, RULE, add_check, add_rule
from lossviz.cli._parser_scan import SCAN, add_scan
from lossviz.digits import is_number, numbers_in
from lossviz.display_text import printable
from lossviz.identification import ACCURACY, PRECISIONS
from lossviz.reductions import FLAGS, LOOP_OPTIONS, REDUCTIONS
from lossviz.settings import MASKS
from lossviz.version import __version__

__all__ = ["EXAMPLES", "FLAG_HELP", "TABLES", "parsed", "parsers"]

EXAMPLES = "examples:\n"


class Parser(argparse.ArgumentParser):
    """A parser whose error message, which quotes the user's input, is one printable sentence."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message, most=1_000))


TABLES = ("sequences", "timesteps", "per_timestep", "reductions")
FLAG_HELP = {
    "average_across_timesteps": "divide the sum over the timesteps by the sum of their weights (on)",
    "average_across_batch": "divide the sum over the batch by the sum of its weights (on)",
    "sum_over_timesteps": "divide the sum over the timesteps by the count of their weights that are not 0 (off)",
    "sum_over_batch": "divide the sum over the batch by the count of its weights that are not 0 (off)",
}

_MASK = f"which timesteps count: {', '.join(MASKS)} (what the batch declares)"
_DESCRIPTION = "See which timesteps make up a sequence loss, and what it was divided by."


def parsed(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse a command line; the numbers of `identify` may also come after its options.

    >>> parsed(["identify", "golden", "--smoothing", "0.1", "1.3517"]).number
    ['1.3517']
    """
    parser = parsers()[0]
    arguments, late = parser.parse_known_args(argv)
    is_late = "number" in arguments and all(map(is_number, numbers_in(" ".join(late))))
    if late and not is_late:
        parser.error(f"unrecognized arguments: {' '.join(late)}")
    if late:
        arguments.number = [*arguments.number, *late]
    return arguments


def parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of `lossviz`, and those of its commands by name."""
    parser = Parser("lossviz", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"lossviz {__version__}", help="print the version")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    described = (
        ("app", "open the app in the browser", _APP, _add_app),
        ("analyze", "print the number of a batch, its divisor and the tables", _ANALYZE, _add_analyze),
        ("identify", "say which formula gives the number that a training loop printed", _IDENTIFY, _add_identify),
        ("check", "say what is wrong with batches, for tests and pipelines", CHECK, add_check),
        ("rule", "print the page of a rule, or list all rules", RULE, add_rule),
        ("scan", "write the losses of a corpus to a run, here or on a cluster", SCAN, add_scan),
        ("runs", "compact a recorded run to Parquet", _RUNS, _add_runs),
        ("samples", "list the batches that come with lossviz", _SAMPLES, _add_nothing),
    )
    for name, summary, text, add in described:
        description, lines = text.split("\n\n", 1)
        examples = EXAMPLES + indent(lines, "  ")
        command = commands.add_parser(
            name,
            help=summary,
            description=description,
            epilog=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.set_defaults(command=_later(name))
        add(command)
    return parser, dict(commands.choices)


_APP = """\
Open the app on batches and recorded runs. It is reachable from this machine only; stop it with Ctrl-C.

lossviz app
lossviz app batch.npz
lossviz app run/
lossviz app golden --port 8600 --no-browser"""

_ANALYZE = """\
Print the loss of a batch, what it was divided by, what is wrong with the content, and a table.

lossviz analyze batch.npz
lossviz analyze batch.npz --mask none --reduction encoder_decoder
lossviz analyze batch.npz --no-average-across-batch --table per_timestep
lossviz analyze batch.npz --reduction micro_batch_means --accumulation-steps 4
lossviz analyze run.npz --names logits=output targets=labels
lossviz analyze golden --json
lossviz analyze run/ --step 400"""

_IDENTIFY = """\
Say which formula gives the number that your training loop printed for a batch: which timesteps it counts, what it
divides by, and what to write instead. Give the number with all its printed digits. Give several numbers if the loop
prints one per sequence or per timestep, and several files with one number if it prints one for all of them. The exit
status is 0 when a formula gives the number, 1 when none does.

lossviz identify batch.npz 1.2545
lossviz identify golden 0.92
lossviz identify golden 1.36 0.60 2.30
lossviz identify batch.npz 5.018 --accumulation-steps 4 --json
lossviz identify first.npz 0.92 --and second.npz 1.137
lossviz identify first.npz second.npz 1.0286
lossviz identify run/"""

_RUNS = """\
Convert the files that a recorder appended to into Parquet, which is smaller and which pandas, DuckDB and Polars read. A
recorder does this itself when it is closed; use the command for runs whose process was killed.

lossviz runs compact run/"""

_SAMPLES = """\
List the batches that come with lossviz: the name that the other commands take, and what to look at.

lossviz samples"""


def _add_app(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="*", help=f"what to open: {FILE}")
    parser.add_argument("--port", type=int, metavar="N", help="the port to listen on (8501, or the next free one)")
    parser.add_argument("--no-browser", action="store_true", help="print the address, but do not open a browser")


def _add_analyze(parser: argparse.ArgumentParser) -> None:
    names = [reduction.name for reduction in REDUCTIONS]
    parser.add_argument("file", metavar="FILE", help=FILE)
    add_step(parser, "the last")
    parser.add_argument("--mask", metavar="MASK", help=_MASK)
    parser.add_argument("--reduction", metavar="NAME", help=f"{', '.join(names)} (mean; classification of one logit)")
    for flag in FLAGS:
        parser.add_argument(
            f"--{flag.replace('_', '-')}",
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=f"of sequence_loss: {FLAG_HELP[flag]}",
        )
    for reduction in REDUCTIONS:
        takes = [option for option in LOOP_OPTIONS if option.name in (*reduction.needs, *reduction.may_take)]
        add_loop_options(parser, takes, of=reduction.name, default=argparse.SUPPRESS)
    parser.add_argument("--table", choices=TABLES, default=TABLES[0], help=f"{', '.join(TABLES)} ({TABLES[0]})")
    _add_json_and_names(parser)


def _add_identify(parser: argparse.ArgumentParser) -> None:
    take_negative_numbers(parser)
    parser.add_argument("file", metavar="FILE", help=FILE)
    parser.add_argument(
        "number",
        metavar="NUMBER",
        nargs="*",
        help="the printed number, with all its digits (`reported` of the file); of several files, for all of them",
    )
    add_step(parser, "all steps, each with its own printed number")
    parser.add_argument(
        "--and",
        dest="more",
        nargs=2,
        action="append",
        default=[],
        metavar=("FILE", "NUMBER"),
        help="another batch of the same loop and its number: only formulas that explain both are printed",
    )
    parser.add_argument("--decimals", type=int, metavar="D", help="how many decimals were printed (those of NUMBER)")
    add_loop_options(parser, (*LOOP_OPTIONS, ACCURACY))
    parser.add_argument(
        "--precision", choices=tuple(PRECISIONS), default="float32", help=f"{', '.join(PRECISIONS)} (float32)"
    )
    parser.add_argument("--mask", metavar="MASK", help=_MASK)
    add_reduction(parser)
    _add_json_and_names(parser)


def _add_json_and_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON; NaN and infinity are strings")
    add_names(parser)
    add_layout(parser)


def _add_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", metavar="compact", choices=("compact",), help="what to do: compact")
    parser.add_argument("folder", metavar="DIR", help="the folder of the run")


def _add_nothing(_: argparse.ArgumentParser) -> None:
    pass


def _later(name: str) -> Callable[[argparse.Namespace], int]:
    """The command's function, imported when it is called: `lossviz --help` must not wait for pandas."""

    def run(arguments: argparse.Namespace) -> int:
        function: Callable[[argparse.Namespace], int] = import_module(f"lossviz.cli._{name}").run
        return function(arguments)

    return run
