"""The options of a training loop, one row each: what widgets, flags, links and checks make of them.

To add an option, add a field to `Options` and a row here.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["LOOP_OPTIONS", "LoopOption"]


@dataclass(frozen=True)
class LoopOption:
    """An option of a training loop, in words.

    Attributes:
        name: of the field of `Options`, of the argument, the flag and the widget.
        label: of its widget.
        symbol: its value in a formula or on a command line.
        help: one sentence about it.
        kind: its values: "count", a whole number from 1 on; "fraction", from 0 up to 1; "factor", any finite number;
            "per_class", a list of numbers, one for each class.
        phrase: what a loop does that has it, as in "the loop accumulates gradients".
        absent: what it is if it is not given, or "".
        start: what the conventions are shown with until a value is given; None where they are shown without one.
        step: from one value to the next, in a field with arrows.
        most: the largest value that a field takes, for a "fraction" or a "factor".

    >>> LOOP_OPTIONS[0].flag
    '--accumulation-steps'
    """

    name: str
    label: str
    symbol: str
    help: str
    kind: Literal["count", "fraction", "factor", "per_class"]
    phrase: str
    absent: str = ""
    start: float | None = None
    step: float = 0.05
    most: float = 1.0

    @property
    def flag(self) -> str:
        """How the command writes it."""
        return f"--{self.name.replace('_', '-')}"


LOOP_OPTIONS = (
    LoopOption(
        "accumulation_steps",
        "Accumulation steps",
        "K",
        "Micro-batches that the loop adds up before it steps; the sequences are cut into this many, in order.",
        kind="count",
        phrase="accumulates gradients",
        start=2,
    ),
    LoopOption(
        "world_size",
        "World size",
        "N",
        "Processes that train together: the sequences are distributed over them, in order.",
        kind="count",
        phrase="trains in several processes",
    ),
    LoopOption(
        "max_length",
        "Constant length L_max",
        "L",
        "What the loop divides by for each sequence, however long it is.",
        kind="count",
        phrase="divides by a constant length",
        absent="the padded width T",
    ),
    LoopOption(
        "smoothing",
        "Label smoothing ε",
        "E",
        "How much of each target is spread over the classes, from 0 up to 1.",
        kind="fraction",
        phrase="smooths labels",
        start=0.1,
    ),
    LoopOption(
        "class_weights",
        "Class weights",
        "W,W,…",
        "What the loss of each class is multiplied by: numbers, one for each class.",
        kind="per_class",
        phrase="weighs classes",
    ),
    LoopOption(
        "bytes_per_token",
        "Bytes per token",
        "B,B,…",
        "How many UTF-8 bytes each class has: numbers, one for each class.",
        kind="per_class",
        phrase="prints bits per byte",
    ),
    LoopOption(
        "z_loss",
        "z-loss factor",
        "Z",
        "What logsumexp² is multiplied by before it is added to each loss.",
        kind="factor",
        phrase="adds a z-loss",
        start=1e-4,
        step=1e-4,
    ),
)
"""The fields of `Options` that a person gives one by one, in their order of use."""
