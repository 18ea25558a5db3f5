"""Steps of a batch's history: single entries, or whole arrays as a rule of the doctor repaired them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from lossviz.batch import Batch
from lossviz.edits import Edit, apply_edits
from lossviz.errors import InputError
from lossviz.rules import RULES
from lossviz.settings import MASKS

__all__ = ["Repair", "Step", "apply_steps", "is_repair", "packed_repair", "repair_of", "unpacked_repair"]

MAX_ENTRIES = 4_000  # entries of an array that an address may carry
CODES = frozenset(rule.code for rule in RULES)
FLOATS = ("float16", "bfloat16", "float32", "float64")
LONGEST = 40  # characters of a number


@dataclass(frozen=True, eq=False)
class Repair:
    """What a rule repaired.

    Attributes:
        code: the rule's.
        changes: the arguments of `Batch.replace` that repair the batch.
        before: the number before, as text.
        mask: the mask chosen in the sidebar before, where the repair made the batch's own mask the right one.
    """

    code: str
    changes: Mapping[str, Any]
    before: str
    mask: str | None = None


Step = tuple[Edit, ...] | Repair
"""Edits that are made and taken back together, or a repair."""


def is_repair(step: Step) -> bool:
    """Whether a step is a repair."""
    return isinstance(step, Repair)


def repair_of(code: str, batch: Batch, repaired: Batch, *, before: str, mask: str | None = None) -> Repair:
    """The repair that makes one batch of another.

    >>> batch = Batch.from_arrays(logits=np.zeros((1, 2, 3)), targets=[[1, 2]], lengths=[2])
    >>> repair_of("PAD08", batch, batch.replace(lengths=[1]), before="1.0986").changes
    {'lengths': array([1])}
    """
    pairs = {name: (getattr(batch, name), getattr(repaired, name)) for name in Batch.FIELDS}
    return Repair(code, {name: new for name, (old, new) in pairs.items() if not _same(old, new)}, before, mask)


def apply_steps(batch: Batch, steps: Sequence[Step]) -> Batch:
    """The batch after every step, in order.

    Raises:
        InputError: if a step can't be made.
    """
    for repairs, run in groupby(steps, is_repair):
        if repairs:
            for step in run:
                batch = batch.replace(**step.changes) if isinstance(step, Repair) else batch
        else:
            batch = apply_edits(batch, [edit for step in run if isinstance(step, tuple) for edit in step])
    return batch


def packed_repair(repair: Repair) -> list[Any] | None:
    """A repair as what JSON can hold, or None where it is too large for an address.

    >>> packed_repair(Repair("PAD08", {"lengths": np.array([1])}, "1.0986"))
    ['repair', 'PAD08', {'lengths': [1]}, '1.0986', None]
    """
    arrays = [value for value in repair.changes.values() if isinstance(value, np.ndarray)]
    if sum(array.size for array in arrays) > MAX_ENTRIES:
        return None
    changes = {name: _plain(name, value) for name, value in repair.changes.items()}
    return ["repair", repair.code, changes, repair.before, repair.mask]


def unpacked_repair(entry: Any) -> Repair:
    """The repair that `packed_repair` packed.

    Raises:
        InputError: for anything else, however hostile.
    """
    if not (isinstance(entry, list) and len(entry) == 5 and entry[0] == "repair"):
        raise InputError("This is no repair.")
    _, code, changes, before, mask = entry
    known = isinstance(code, str) and code in CODES and isinstance(changes, dict) and changes.keys() <= {*Batch.FIELDS}
    words = isinstance(before, str) and len(before) <= LONGEST and (mask is None or mask in tuple(MASKS))
    if not (known and words):
        raise InputError("This is no repair.")
    return Repair(code, {name: _array(name, value) for name, value in changes.items()}, before, mask)


def _same(old: Any, new: Any) -> bool:
    if old is new:
        return True
    if not (isinstance(old, np.ndarray) and isinstance(new, np.ndarray)):
        return type(old) is type(new) and not isinstance(old, np.ndarray) and bool(old == new)
    return old.dtype == new.dtype and np.array_equal(old, new, equal_nan=old.dtype.kind != "i")


def _plain(name: str, value: Any) -> Any:
    if not isinstance(value, np.ndarray):
        return value
    # JSON has one kind of float, models write logits of several.
    return [value.dtype.name, value.astype(np.float64).tolist()] if name == "logits" else value.tolist()


def _array(name: str, value: Any) -> Any:
    if name != "logits":
        return value
    kind, numbers = value
    if kind not in FLOATS:
        raise InputError("This is no kind of logits.")
    with np.errstate(over="ignore"):
        return np.asarray(numbers, np.float64).astype(kind)
