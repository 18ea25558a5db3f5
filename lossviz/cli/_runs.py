"""`lossviz runs`: operations on the files of recorded runs."""

import argparse
import sys

from lossviz.display_text import printable
from lossviz.recording import compact, open_run

__all__ = ["run"]


def run(arguments: argparse.Namespace) -> int:
    """Compact a run to Parquet, and print what it contains afterwards."""
    written = compact(arguments.folder)
    opened = open_run(arguments.folder)
    steps = opened.steps
    sys.stdout.write(
        f"{printable(str(opened.path), most=200)}: {len(steps)} steps from {steps[0]} to {steps[-1]}, "
        f"{len(written)} files compacted\n"
    )
    return 0
