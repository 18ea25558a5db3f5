"""`lossviz samples`: what comes with lossviz, by group, with what to look at."""

import argparse
import sys

from lossviz.samples import GROUPS, SAMPLES

__all__ = ["run"]


def run(_: argparse.Namespace) -> int:
    """Print the name of each sample and its lesson."""
    width = max(len(sample.name) for sample in SAMPLES)
    for number, group in enumerate(GROUPS):
        sys.stdout.write(("\n" if number else "") + f"{group}\n")
        for sample in SAMPLES:
            if sample.group == group:
                sys.stdout.write(f"  {sample.name:{width}}  {sample.lesson}\n")
    return 0
