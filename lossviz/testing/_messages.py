"""Cells, numbers and likely causes, worded for the messages of the assertions."""

import numpy as np

from lossviz.digits import number_text

__all__ = ["cells_text", "largest", "likely", "parts_text", "place_text", "reason_of", "size_text"]

Array = np.ndarray


def cells_text(cells: Array) -> str:
    """Timesteps in words: the first one, and how many more.

    >>> cells_text(np.array([[False, True], [True, True]]))
    'sequence 0, timestep 1, and 2 more timesteps'
    """
    first = place_text(tuple(np.argwhere(cells)[0]))
    more = int(cells.sum()) - 1
    return f"{first}, and {more} more timestep{'s' * (more > 1)}" if more else first


def place_text(place: tuple[int, ...]) -> str:
    """A sequence, or a timestep of it.

    >>> place_text((1,)), place_text((1, 4))
    ('sequence 1', 'sequence 1, timestep 4')
    """
    return ", ".join(f"{axis} {index}" for axis, index in zip(("sequence", "timestep"), place, strict=False))


def parts_text(parts: tuple[tuple[int, ...], ...]) -> str:
    """Which sequences lie in which micro-batch, for the first four micro-batches.

    >>> parts_text(((0, 1, 2), (3,), (4, 6)))
    'sequences 0 to 2; sequence 3; sequences 4, 6'
    """
    return "; ".join([_rows_text(part) for part in parts[:4]] + ["…"] * (len(parts) > 4))


def _rows_text(rows: tuple[int, ...]) -> str:
    if len(rows) == 1:
        return f"sequence {rows[0]}"
    in_order = rows == tuple(range(rows[0], rows[-1] + 1))
    return f"sequences {rows[0]} to {rows[-1]}" if in_order else f"sequences {', '.join(map(str, rows))}"


def reason_of(error: Exception) -> str:
    """The first line of an exception's message, without its full stop.

    >>> reason_of(IndexError("Target 6 is out of bounds.")), reason_of(KeyError())
    ('Target 6 is out of bounds', 'no reason given')
    """
    return (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")[:200]


def size_text(numbers: Array) -> str:
    """How large the largest number is; NaN and inf before any.

    >>> size_text(np.array([0.5, -2.0])), size_text(np.array([0.5, np.nan]))
    ('2.0000', 'NaN')
    """
    odd = numbers[~np.isfinite(numbers)]
    return number_text(float(odd[0] if odd.size else np.abs(numbers).max()))


def largest(numbers: Array) -> tuple[int, ...]:
    """Where the largest number stands; NaN and inf count as larger than any.

    >>> largest(np.array([[0.5, -2.0]])), largest(np.array([np.inf, np.nan, 3.0]))
    ((0, 1), (0,))
    """
    sizes = np.where(np.isfinite(numbers), np.abs(numbers), np.inf)
    return tuple(int(index) for index in np.unravel_index(sizes.argmax(), sizes.shape))


CAUSES = {
    "PAD01": "there is no mask, so padding counts like any timestep; multiply the losses by `weights`",
    "PAD02": "the divisor counts the padding; divide by the sum of `weights`",
    "PAD03": "the mask is in the divisor only; put it on the losses too",
    "PAD04": "the mask is derived from the targets; use `weights`",
    "PAD06": "the mask is inverted; use `weights` as they are",
    "PAD08": "the mask ends one timestep late; derive it from `weights`",
    "PAD11": "nothing counts, and 0 is divided by 0; divide by the larger of 1 and the sum of `weights`",
    "PAD12": "the ignore id is looked up as a class; replace the targets by 0 where the weight is 0",
    "PAD13": "a target that is no class is looked up; replace the targets by 0 where the weight is 0",
    "NUM01": "0 times NaN is NaN; replace the logits by 0 with `where` where the weight is 0, before the loss",
    "NUM01 gradient": "`where` on the losses leaves NaN in the gradient; replace the logits by 0 with `where` where "
    "the weight is 0, before the loss",
    "NUM02": "the branch of `where` that is not taken has a gradient, which is NaN; make its input safe by a `where` "
    "before it",
    "RED01": "it is a mean of means; return (sum, count), and divide once",
    "RED01 sum": "the sums of the micro-batches do not add up to the batch's; return Σ weight · loss, not divided",
    "RED02": "the micro-batches are added up and not divided; divide each by their number, or return (sum, count)",
    "RED02 sum": "these are sums, not means; if the loop adds them up pass `combine=sum`, else return (sum, count)",
    "RED06": "the divisor is the number of timesteps, padding included; divide by the sum of `weights`",
    "RED06 rows": "each sequence is divided by what counts in the whole batch; divide it by its own timesteps",
    "RED06 count": "the counts of the micro-batches do not add up to the batch's; count with the sum of `weights`",
    "RED07": "losses and mask have shapes that broadcast against each other; give both the shape [B, T]",
    "RED10": "the term of label smoothing is not masked; put the mask on both terms",
    "SHF02": "the loss compares each timestep's logits with the next target, as the models of Hugging Face do, but "
    "these targets are already shifted; pass `shift=True` to hand it unshifted ones",
    "MOD05": "positions count the padding; number them from each sequence's first real timestep",
    "MOD06": "the model reads its padding; hand the mask to every layer that mixes timesteps",
    "MOD07": "the documents attend to each other; let a timestep attend within its own segment only",
}
"""What a message says after the code: what happens, and what to write instead."""


def likely(cause: str) -> str:
    """The end of a message: the likely code of the catalogue, why, and what to write.

    >>> likely("PAD02")
    'Likely PAD02: the divisor counts the padding; divide by the sum of `weights`.'
    """
    return f"Likely {cause.split()[0]}: {CAUSES[cause]}."
