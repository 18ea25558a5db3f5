"""The arguments of `lossviz check` and `lossviz rule`, and their help."""

import argparse

from lossviz.cli._options import FILE, add_layout, add_names, add_reduction, add_step, take_negative_numbers
from lossviz.fixes import LIBRARIES
from lossviz.rules import SEVERITIES

__all__ = ["CHECK", "FORMATS", "RULE", "add_check", "add_rule"]

FORMATS = ("text", "json", "sarif", "github")

CHECK = """\
Run the rules of the doctor on files: what is wrong, at which timesteps, and what to write instead. The exit status is
0 when all are clean, 1 when a finding is as serious as `--fail-on` or more, 2 when a file could not be read or a rule
crashed; every file is checked, and the worst status counts.

lossviz check batch.npz
lossviz check first.npz second.npz --select PAD,NUM --fail-on warning
lossviz check batch.npz --reported 1.2545 --fix pytorch
lossviz check batches/*.npz --format sarif
lossviz check batches/*.npz --format github
lossviz check run/"""

RULE = """\
Print what a rule checks, why it matters, an example, the fix, and when it is a false alarm; or list the rules.

lossviz rule
lossviz rule PAD
lossviz rule PAD05"""


def add_check(parser: argparse.ArgumentParser) -> None:
    """The arguments of `lossviz check`."""
    take_negative_numbers(parser)
    parser.add_argument("files", metavar="FILE", nargs="+", help=f"{FILE}; one or more")
    add_step(parser, "all steps")
    parser.add_argument(
        "--select", metavar="CODES", help="the rules to run: codes or their beginnings, PAD,NUM01 (all)"
    )
    parser.add_argument("--ignore", metavar="CODES", help="the rules to leave out, in the same form (none)")
    parser.add_argument(
        "--reported", metavar="NUMBER", help="what the loop printed for FILE, with all its digits (`reported` of FILE)"
    )
    parser.add_argument("--format", choices=FORMATS, default=FORMATS[0], help=f"{', '.join(FORMATS)} ({FORMATS[0]})")
    parser.add_argument(
        "--fail-on",
        choices=SEVERITIES,
        default=SEVERITIES[0],
        help=f"the lowest severity that gives exit status 1: {', '.join(SEVERITIES)} ({SEVERITIES[0]})",
    )
    parser.add_argument(
        "--fix", choices=tuple(LIBRARIES), help=f"in text output: what to write instead: {', '.join(LIBRARIES)}"
    )
    parser.add_argument(
        "--verbose",
        action="store_true",
        help="in text output: why rules could not tell or did not apply, and where they crashed",
    )
    add_reduction(parser)
    add_names(parser)
    add_layout(parser)


def add_rule(parser: argparse.ArgumentParser) -> None:
    """The argument of `lossviz rule`."""
    parser.add_argument("code", metavar="CODE", nargs="?", help="such as PAD05, or a beginning such as PAD (all rules)")
