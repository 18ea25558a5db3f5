"""A file or an upload, read by the layout that it has, and what to press to have it read otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossviz.errors import NamesError
from lossviz.formats import contents, read, read_many
from lossviz.layouts import Reading, interpret

__all__ = ["TABLES", "Origin", "changes_of", "name_of", "read_origin"]

TABLES = (".csv", ".parquet")
Origin = Path | Mapping[str, bytes]
"""A path, or uploads that belong together, by name."""

_LABELS = {
    ("layout", "plain"): "Take the arrays as they are",
    ("shift", False): "Do not shift",
    ("shift", True): "Shift",
    ("weights", "attention_mask"): "Weigh the loss by attention_mask",
}


def name_of(origin: Origin) -> str:
    """What the batch is called.

    >>> name_of({"logits.npy": b"", "targets.npy": b""})
    'logits.npy + targets.npy'
    """
    return origin.name if isinstance(origin, Path) else " + ".join(origin)


def read_origin(origin: Origin, names: Mapping[str, str] | None = None, **choices: Any) -> Reading:
    """Read it by the layout that it has; `names` and `choices` are those of `lossviz.layouts.interpret`.

    Raises:
        FormatError: if it can't be read; NamesError: if its arrays have names that are not known.
        InputError: if a layout that was chosen does not fit.
    """
    columns = bool(names) and name_of(origin).lower().endswith(TABLES)
    if columns or (not isinstance(origin, Path) and len(origin) > 1):
        strict = read(origin, names=names) if isinstance(origin, Path) else read_many(origin, names=names)
        return interpret(strict, names={}, **choices)
    fields = contents(origin) if isinstance(origin, Path) else _contents_of_one(origin)
    try:
        return interpret(fields, names=names, **choices)
    except NamesError as error:  # its arrays may bear names that were recognised; the dialog asks for the file's own
        raise NamesError(str(error), fields) from None


def _contents_of_one(uploads: Mapping[str, bytes]) -> dict[str, Any]:
    [(name, data)] = uploads.items()
    return dict(contents(data, name=name))


def changes_of(reading: Reading) -> dict[str, dict[str, Any]]:
    """By the label of a button: the choices that have it read otherwise than assumed.

    >>> import numpy as np
    >>> fields = {"logits": np.zeros((1, 3, 4)), "labels": np.array([[1, 2, -100]])}
    >>> changes_of(interpret(fields, shift=True))
    {'Do not shift': {'shift': False}}
    """
    changes = {
        label: {one.option: one.value}
        for one in reading.assumptions
        if (label := _LABELS.get((one.option, one.value))) is not None
    }
    if reading.assumptions and not changes:
        changes[_LABELS["layout", "plain"]] = {"layout": "plain"}
    return changes
