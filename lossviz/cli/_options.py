"""Words that several commands take alike."""

import argparse
import re

__all__ = ["FILE", "add_names", "add_step", "take_negative_numbers"]

FILE = "an .npz, .npy, .json, .csv, .safetensors or .parquet file, a recorded run, or the name of a sample"


def add_names(parser: argparse.ArgumentParser) -> None:
    """Let a command say which array of its file is which."""
    parser.add_argument(
        "--names",
        nargs="*",
        metavar="NAME=FOUND",
        help="which array of the file is which, such as targets=labels; alone, it leaves look-alikes out",
    )


def take_negative_numbers(parser: argparse.ArgumentParser) -> None:
    """Let a command take "-1e-3" and "-inf", which argparse holds for options."""
    parser._negative_number_matcher = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)


def add_step(parser: argparse.ArgumentParser, without: str) -> None:
    """The option that takes one step of a recorded run."""
    parser.add_argument("--step", type=int, metavar="N", help=f"of a recorded run: the step ({without})")
