"""Arguments that several commands share."""

import argparse
import re
from collections.abc import Callable, Sequence
from typing import Any

from lossviz.layouts import LAYOUTS
from lossviz.reductions import LoopOption

__all__ = [
    "CHOICES",
    "FILE",
    "add_layout",
    "add_loop_options",
    "add_names",
    "add_reduction",
    "add_step",
    "take_negative_numbers",
]

CHOICES = ("layout", "shift", "ignore_id", "pad_id", "eos_id", "weights")
"""The options of `add_layout`, by the arguments of `lossviz.load`."""

FILE = (
    "an .npz, .npy, .json, .jsonl, .csv, .safetensors, .parquet or .arrow file, a recorded run, or the name of a sample"
)


def add_names(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which array of the file is which."""
    parser.add_argument(
        "--names",
        nargs="*",
        metavar="NAME=FOUND",
        help="which array of the file is which, such as targets=labels; without any, names are taken as they are",
    )


def add_layout(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how the file is laid out, where it is not recognised rightly."""
    names = ", ".join(layout.name for layout in LAYOUTS)
    parser.add_argument(
        "--layout",
        metavar="NAMES",
        help=f"how FILE is laid out, several with commas between them: {names} (recognised)",
    )
    parser.add_argument(
        "--shift",
        action=argparse.BooleanOptionalAction,
        help="whether the loss compares logits with the next label (whichever the logits fit)",
    )
    for name, text in (
        ("ignore", "the label that is ignored (-100 where it occurs)"),
        ("pad", "the id that rows are padded with (`pad_id` of FILE)"),
        ("eos", "the id that ends a sequence (`eos_id` of FILE)"),
    ):
        parser.add_argument(f"--{name}-id", type=int, metavar="ID", help=text)
    parser.add_argument("--weights", metavar="NAME", help="the array of FILE with the weights of the losses, or none")


def add_reduction(parser: argparse.ArgumentParser) -> None:
    """Add the option that says what a single logit per timestep predicts."""
    parser.add_argument(
        "--reduction",
        choices=("mean", "classification"),
        help="for one logit per timestep: mean if timesteps have labels, classification if sequences do "
        "(told from the targets)",
    )


def add_loop_options(
    parser: argparse.ArgumentParser, options: Sequence[LoopOption], *, of: str = "", **given: Any
) -> None:
    """Add the options of the training loop, `of` one reduction; `given` is passed on to argparse."""
    for option in options:
        text = option.help[0].lower() + option.help[1:].rstrip(".")
        whole = f"of {of}: {text}" if of else text
        absent = f" ({option.absent})" if option.absent else ""
        parser.add_argument(option.flag, type=_TYPES[option.kind], metavar=option.symbol, help=whole + absent, **given)


def numbers(text: str) -> list[float]:
    """Numbers separated by commas; for anything else argparse says "invalid numbers value"."""
    return [float(number) for number in text.split(",")]


_TYPES: dict[str, Callable[[str], Any]] = {"count": int, "fraction": float, "factor": float, "per_class": numbers}


def take_negative_numbers(parser: argparse.ArgumentParser) -> None:
    """Let a command accept "-1e-3" and "-inf", which argparse takes for options."""
    parser._negative_number_matcher = re.compile(r"-(\d|\.\d|inf|nan)", re.IGNORECASE)


def add_step(parser: argparse.ArgumentParser, without: str) -> None:
    """The option that takes one step of a recorded run."""
    parser.add_argument("--step", type=int, metavar="N", help=f"for a recorded run: the step ({without})")
