"""The question: some batches, and the numbers printed for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lossviz.analysis import Analysis
from lossviz.batch import Batch
from lossviz.errors import InputError
from lossviz.identification._reported import Printed, read_printed

__all__ = ["Query", "read_query"]


@dataclass(frozen=True)
class Query:
    """Batches and their printed numbers.

    Attributes:
        batches: one or more.
        printed: the numbers of each batch; a single row for several batches means one number for all of them.
    """

    batches: tuple[Batch | Analysis, ...]
    printed: tuple[tuple[Printed, ...], ...]

    @property
    def in_common(self) -> bool:
        """Whether one number was printed for several batches."""
        return len(self.batches) > 1 and len(self.printed) == 1


def read_query(batch: Any, reported: Any, *, decimals: int | None, relative: float) -> Query:
    """Pair batches with their numbers.

    Raises:
        InputError: if something is not a batch or not a number, or their counts do not match.

    >>> batch = Batch.from_arrays(logits=[[[0.0, 1.0], [0.0, 1.0], [0.0, 1.0]]], targets=[[0, 1, 0]])
    >>> [len(row) for row in read_query(batch, ["0.7", "0.7", "0.7"], decimals=None, relative=0).printed]
    [3]
    """
    batches = _batches(batch)

    def read(value: Any) -> tuple[Printed, ...]:
        return tuple(read_printed(one, decimals=decimals, relative=relative) for one in _listed(value))

    if len(batches) == 1:
        only = reported[0] if _is_several(batch) and _is_several(reported) and len(reported) == 1 else reported
        return Query(batches, (_checked(batches[0], read(only)),))
    if not _is_several(reported) or len(reported) == 1:
        return Query(batches, (read(_listed(reported)[0]),))
    if len(reported) != len(batches):
        raise InputError(
            f"`reported` must have {len(batches)} numbers, one for each batch, or one number that was printed for all; "
            f"got {len(reported)}. Leave out the batches whose number you don't know."
        )
    return Query(batches, tuple(_checked(one, read(value)) for one, value in zip(batches, reported, strict=True)))


def _batches(batch: Any) -> tuple[Batch | Analysis, ...]:
    batches = tuple(batch) if isinstance(batch, (list, tuple)) else (batch,)
    for one in batches or (None,):
        if not isinstance(one, (Batch, Analysis)):
            raise InputError(
                f"`batch` must be a Batch, an Analysis or a list of them; got {type(one).__name__}. "
                "Make one with `Batch.from_arrays`."
            )
    return batches


def _is_several(value: Any) -> bool:
    if isinstance(value, Sequence):
        return not isinstance(value, (str, bytes))
    return len(getattr(value, "shape", ())) > 0


def _listed(value: Any) -> list[Any]:
    return list(value) if _is_several(value) else [value]


def _checked(batch: Batch | Analysis, printed: tuple[Printed, ...]) -> tuple[Printed, ...]:
    """Refuse anything but one number, one per sequence or one per timestep."""
    shape = (batch if isinstance(batch, Batch) else batch.batch).shape
    if len(printed) not in (1, *shape[:2]):
        raise InputError(
            f"`reported` must be one number, {shape[0]} (one a sequence) or {shape[1]} (one a timestep); "
            f"got {len(printed)}. Print the loss of one batch at a time."
        )
    return printed
