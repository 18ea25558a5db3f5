"""`load(path) -> Batch`: read a file, recognise its layout, and keep what was assumed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from lossviz import formats
from lossviz.batch import Batch
from lossviz.errors import instance_of
from lossviz.layouts._interpret import Reading, interpret

__all__ = ["batch_of", "load", "read"]

_TABLES = (".csv", ".parquet")


def load(
    source: str | PathLike[str] | Mapping[str, Any],
    *,
    names: Mapping[str, str] | None = None,
    layout: str | Iterable[str] | None = None,
    shift: bool | None = None,
    ignore_id: int | None = None,
    pad_id: int | None = None,
    eos_id: int | None = None,
    weights: str | None = None,
    reduction: str | None = None,
    reported: str | None = None,
) -> Batch:
    """Open a file, or the fields of one, as a Batch, whatever layout it has; `batch.assumptions` says what was assumed.

    Args:
        source: a path, or a dict from names to arrays.
        names: see `lossviz.layouts.interpret`, as for all that follows.
        layout: names of layouts; None recognises them.
        shift: whether the logits are compared with the next label.
        ignore_id: the label that is ignored.
        pad_id: the id that fills the rows up.
        eos_id: the id that ends a sequence.
        weights: the name of the field that weighs the loss, or "none".
        reduction: what one logit a timestep is the label of.
        reported: what the training loop printed.

    Raises:
        FormatError: if the file can't be read.
        InputError: if its arrays don't fit together.

    >>> import numpy as np
    >>> batch = load({"logits": np.zeros((1, 3, 4)), "labels": np.array([[1, 2, -100]])}, shift=True)
    >>> batch.targets.tolist(), batch.assumptions
    ([[2, -100]], ('labels are unshifted, so logits are compared with the next label', '−100 is ignored'))
    """
    choices = {"layout": layout, "shift": shift, "ignore_id": ignore_id, "pad_id": pad_id, "eos_id": eos_id}
    choices |= {"weights": weights, "reduction": reduction, "reported": reported}
    return batch_of(read(source, names=names, **choices))


def read(source: str | PathLike[str] | Mapping[str, Any], **choices: Any) -> Reading:
    """The same, as the arguments of a Batch and the assumptions; see `load`."""
    instance_of("source", source, (str, PathLike, Mapping), "a path, or a dict from names to arrays")
    if isinstance(source, Mapping):
        return interpret(source, **choices)
    path, names = Path(source), choices.get("names")
    if names and path.suffix.lower() in _TABLES:  # names of columns, not of arrays
        reading = interpret(formats.read(path, names=names), **{**choices, "names": None})
    else:
        reading = interpret(formats.contents(path), **choices)
    return replace(reading, arguments={"title": path.name, **reading.arguments})


def batch_of(reading: Reading) -> Batch:
    """The Batch of a reading, with what was assumed.

    Raises:
        InputError: if its arguments don't fit together.
    """
    batch = Batch.from_arrays(**reading.arguments)
    return replace(batch, assumptions=tuple(one.text for one in reading.assumptions))
