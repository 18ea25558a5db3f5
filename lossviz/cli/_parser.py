"""The words that the command understands, and their help; docs/commands.md is generated from here."""

import argparse
from collections.abc import Callable
from importlib import import_module
from textwrap import indent

import lossviz
from lossviz.reductions import FLAGS, REDUCTIONS
from lossviz.settings import MASKS

__all__ = ["EXAMPLES", "FLAG_HELP", "TABLES", "parsers"]

EXAMPLES = "examples:\n"

TABLES = ("sequences", "timesteps", "per_timestep", "reductions")
FLAG_HELP = {
    "average_across_timesteps": "divide the sum over the timesteps by the sum of their weights (on)",
    "average_across_batch": "divide the sum over the batch by the sum of its weights (on)",
    "sum_over_timesteps": "divide the sum over the timesteps by the count of their weights that are not 0 (off)",
    "sum_over_batch": "divide the sum over the batch by the count of its weights that are not 0 (off)",
}
_FILE = "an .npz, .npy, .json, .csv, .safetensors or .parquet file, or the name of a sample"
_DESCRIPTION = "See which timesteps make up a sequence loss, and what it was divided by."


def parsers() -> tuple[argparse.ArgumentParser, dict[str, argparse.ArgumentParser]]:
    """The parser of `lossviz`, and those of its commands by name."""
    parser = argparse.ArgumentParser("lossviz", description=_DESCRIPTION)
    parser.add_argument(
        "--version", action="version", version=f"lossviz {lossviz.__version__}", help="print the version"
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    described = (
        ("app", "open the app in the browser", _APP, _add_app),
        ("analyze", "print the number of a batch, its divisor and the tables", _ANALYZE, _add_analyze),
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
Open the app on a batch, or on a recorded one. It answers on this machine only; Ctrl-C ends it.

lossviz app
lossviz app batch.npz
lossviz app golden --port 8600 --no-browser"""

_ANALYZE = """\
Print the loss of a batch, what it was divided by, what is wrong with the content, and a table.

lossviz analyze batch.npz
lossviz analyze batch.npz --mask none --reduction encoder_decoder
lossviz analyze batch.npz --no-average-across-batch --table per_timestep
lossviz analyze run.npz --names logits=output targets=labels
lossviz analyze golden --json"""

_SAMPLES = """\
List the batches that come with lossviz: the name that the other commands take, and what to look at.

lossviz samples"""


def _add_app(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", nargs="?", help=f"what to open: {_FILE}")
    parser.add_argument(
        "--port", type=int, metavar="N", help="the port to answer on (8501, or the next one that is free)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address and leave the browser closed")


def _add_analyze(parser: argparse.ArgumentParser) -> None:
    names = [reduction.name for reduction in REDUCTIONS]
    parser.add_argument("file", metavar="FILE", help=_FILE)
    parser.add_argument(
        "--mask", metavar="MASK", help=f"which timesteps count: {', '.join(MASKS)} (what the batch declares)"
    )
    parser.add_argument("--reduction", metavar="NAME", help=f"{', '.join(names)} (mean)")
    for flag in FLAGS:
        parser.add_argument(
            f"--{flag.replace('_', '-')}",
            action=argparse.BooleanOptionalAction,
            default=argparse.SUPPRESS,
            help=f"of sequence_loss: {FLAG_HELP[flag]}",
        )
    parser.add_argument("--table", choices=TABLES, default=TABLES[0], help=f"{', '.join(TABLES)} ({TABLES[0]})")
    parser.add_argument("--json", action="store_true", help="print JSON; NaN and infinity are strings")
    parser.add_argument(
        "--names",
        nargs="*",
        metavar="NAME=FOUND",
        help="which array of the file is which, such as targets=labels; alone, it leaves look-alikes out",
    )


def _add_nothing(_: argparse.ArgumentParser) -> None:
    pass


def _later(name: str) -> Callable[[argparse.Namespace], int]:
    """The command's function, imported when it is called: `lossviz --help` must not wait for pandas."""

    def run(arguments: argparse.Namespace) -> int:
        function: Callable[[argparse.Namespace], int] = import_module(f"lossviz.cli._{name}").run
        return function(arguments)

    return run
