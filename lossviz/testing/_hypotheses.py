"""What a loss function probably did with the padding, inferred from its number by a few formulas of the catalogue."""

import numpy as np

from lossviz.testing._messages import likely
from lossviz.testing._probe import Arrays

__all__ = ["cause_of_value"]

Array = np.ndarray


def cause_of_value(value: Array, arrays: Arrays, otherwise: str) -> str:
    """The end of a message about a loss that padding reaches: the bug whose formula gives this number, else a guess.

    Args:
        value: the loss, one number, [B] or [B, T].
        arrays: of the batch that it was computed on.
        otherwise: the cause where none of the formulas gives the number.
    """
    number = float(value.mean() if value.ndim == 2 else value.sum())
    close = (code for code, guess in _numbers(arrays) if abs(guess - number) <= 1e-5 * max(1, abs(number)))
    return " " + likely(next(close, otherwise))


def _numbers(arrays: Arrays) -> list[tuple[str, float]]:
    (loss, uniform), w, counts = _losses(arrays), arrays.weights.astype(np.float64), arrays.counts
    late = counts | np.pad(counts, ((0, 0), (1, 0)))[:, :-1]
    positions, real, timesteps = counts.size, w.sum(), counts.shape[1]
    total, masked = loss.sum(), np.where(counts, loss * w, 0).sum()
    with np.errstate(all="ignore"):
        return [
            ("PAD01", total / positions),
            ("PAD01", total),
            ("PAD03", total / real),
            ("PAD06", np.where(counts, 0, loss).sum() / (~counts).sum()),
            ("PAD08", np.where(late, loss, 0).sum() / late.sum()),
            ("RED07", total / positions * real / positions),
            ("PAD02", masked / positions),
            ("RED06", masked / timesteps),
            *(("RED10", ((1 - e) * masked + e * uniform.sum()) / real) for e in (0.05, 0.1, 0.15, 0.2)),
        ]


def _losses(arrays: Arrays) -> tuple[Array, Array]:
    """Cross entropy [B, T] in float64, NaN where the target is no class; and that of uniform labels, for smoothing."""
    logits = arrays.logits.astype(np.float64)
    classes = logits.shape[2]
    known = (arrays.targets >= 0) & (arrays.targets < classes)
    at_target = np.take_along_axis(logits, np.where(known, arrays.targets, 0)[..., None], axis=2)[..., 0]
    with np.errstate(all="ignore"):
        total: Array = np.logaddexp.reduce(logits, axis=2)
        return np.where(known, total - at_target, np.nan), total - logits.mean(axis=2)
