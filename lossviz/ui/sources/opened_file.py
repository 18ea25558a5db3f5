"""A file or an upload, read by the layout that it has, and the buttons that have it read differently."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lossviz.errors import NamesError
from lossviz.formats import contents, read, read_many
from lossviz.layouts import LAYOUTS, Reading, interpret

__all__ = ["TABLES", "Origin", "arrays_of", "changes_of", "may_be_renamed", "name_of", "read_origin"]

TABLES = (".csv", ".parquet")
Origin = Path | Mapping[str, bytes]
"""A path, or uploads that belong together, by name."""

_ANSWERS = {layout.name for layout in LAYOUTS if layout.is_answer}
_TITLES = {layout.name: layout.title for layout in LAYOUTS}
_SHIFT = {True: "Shift", False: "Do not shift"}


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
    except NamesError as error:
        if choices.get("layout") == "plain" and not names:  # as they are, by the names that are known
            return interpret(fields, names=names, **{**choices, "layout": "renamed"})
        # Its arrays may bear names that were recognised; the dialog asks for the file's own.
        raise NamesError(str(error), fields) from None


def _contents_of_one(uploads: Mapping[str, bytes]) -> dict[str, Any]:
    [(name, data)] = uploads.items()
    return dict(contents(data, name=name))


def changes_of(reading: Reading) -> dict[str, dict[str, Any]]:
    """By the label of a button: the choices that read it differently than assumed.

    What needs a number or a name to be typed has no button: `ids_of` and the dialog of names ask for it.

    >>> import numpy as np
    >>> fields = {"logits": np.zeros((1, 3, 4)), "labels": np.array([[1, 2, -100]])}
    >>> changes_of(interpret(fields, shift=True))
    {'Do not shift': {'shift': False}, 'Take the arrays as they are': {'layout': 'plain'}}
    """
    changes: dict[str, dict[str, Any]] = {}
    for one in reading.assumptions:
        if one.option == "shift":
            changes[_SHIFT[one.value]] = {"shift": one.value}
        elif one.option == "weights":
            label = "Leave the weights out" if one.value == "none" else f"Weigh the loss by {one.value}"
            changes[label] = {"weights": one.value}
        elif one.option == "layout" and one.value != "plain":
            changes[f"Not as {_TITLES[one.layout]}"] = {"layout": one.value}
    if reading.assumptions and not _ANSWERS & {*reading.layout.split(",")}:
        changes["Take the arrays as they are"] = {"layout": "plain"}
    return changes


def may_be_renamed(origin: Origin) -> bool:
    """Whether the dialog of names may be asked for: not for columns of a table, nor for .npy files by their names.

    >>> may_be_renamed({"run.npz": b""}), may_be_renamed({"run.csv": b""})
    (True, False)
    """
    single = isinstance(origin, Path) or len(origin) == 1
    return single and not name_of(origin).lower().endswith(TABLES)


def arrays_of(origin: Origin) -> dict[str, Any]:
    """What a single file holds, by its own names.

    Raises:
        FormatError: if it can't be read.
    """
    return dict(contents(origin)) if isinstance(origin, Path) else _contents_of_one(origin)
