"""What a browser needs to draw the equation again by itself, while the user's hand changes the mask."""

from base64 import b64encode
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.figures._core.cells import Window, glyph, window_of
from lossviz.figures._core.quantity import Quantity, quantity_named
from lossviz.figures._core.style import MARKS, theme_named
from lossviz.figures._core.sums import divisor_words
from lossviz.masking import resolve_mask
from lossviz.reductions import follow

__all__ = ["live_equation"]

Array = np.ndarray


def live_equation(
    analysis: Analysis,
    *,
    quantity: str | Quantity = "loss",
    window: tuple[int, int, int, int] | None = None,
    theme: str = "light",
) -> dict[str, Any]:
    """The numbers from which the unpadded loss, the sums and the number follow under another mask, as JSON.

    What the cells show and the weights of the timesteps that are shown are base64 of float64, [rows × columns] in
    order; what lies outside of the window is added up. `divisor` is None where only the server can tell the number.
    `reads` says what a classifier's mask keeps before one timestep of each sequence is read; else it is None.

    Args:
        analysis: every number of a batch, [B, T].
        quantity: as in `equation`; only the loss has sums and a number.
        window: (row0, row1, t0, t1), the part that is shown, ends exclusive; by default all of it.
        theme: "light" or "dark".

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> live = live_equation(analyze(batch))
    >>> live["shape"], live["divisor"]["weights"], live["words"]["ones"], live["outside"]["total"]["sum"]
    ([2, 2], 1.0, 'timesteps that count', 0.0)
    """
    part, what, colours = window_of(analysis, window), quantity_named(quantity), theme_named(theme)
    weights, values = analysis.weights, what.values(analysis)
    if what.name == "loss":
        values = np.where(analysis.invalid & ~analysis.is_class, np.nan, values)  # of lengths the browser judges itself
    # A classifier may read a timestep right or left of the window, whose loss the browser does not have.
    follows = what.name == "loss" and not (analysis.is_classifier and part.shape[1] < weights.shape[1])
    return {
        "shape": list(part.shape),
        "corner": [part.row0, part.t0],
        "timesteps": weights.shape[1],
        "quantity": what.name,
        "under_mask": what.under_mask,
        "values": _encoded(part.of(values)),
        "weights": _encoded(part.of(weights)),
        "reads": _reads(analysis, part) if analysis.is_classifier else None,
        "outside": _outside(analysis, part.of(np.arange(weights.size).reshape(weights.shape)).ravel()),
        "divisor": _divisor(analysis, part) if follows else None,
        "words": divisor_words(analysis) if follows else {},
        "colours": {
            "page": colours.page,
            "text": colours.text,
            "muted": colours.muted,
            "bar": colours.bar,
            "inks": [colours.low_ink, colours.high_ink],
            "counts": colours.counts,
            "marks": {
                mark.name: [ground, ink, glyph(analysis, mark)]
                for mark, ground, ink in zip(MARKS, colours.marks, colours.mark_ink, strict=True)
            },
        },
    }


def _divisor(analysis: Analysis, part: Window) -> dict[str, Any] | None:
    """How the divisor follows from the weights; None where it does not."""
    if not analysis.is_scalar:
        return None
    divisor = follow(analysis.reduction, analysis.weights.shape, analysis.settings.options)
    if divisor is None or (divisor.axis is not None and part.shape != analysis.weights.shape):
        return None  # means of means: those of what is not shown would be needed, too
    return divisor.as_dict()


def _reads(analysis: Analysis, part: Window) -> dict[str, Any]:
    """The mask before one timestep of each sequence is read, and which sequences go on after the window."""
    real = resolve_mask(analysis.batch, analysis.settings.mask).weights
    goes_on = (real[part.row0 : part.row1, part.t1 :] != 0).any(axis=1)
    return {"real": _encoded(part.of(real)), "goes_on": goes_on.tolist()}


def _encoded(array: Array) -> str:
    return b64encode(np.ascontiguousarray(array, "<f8").tobytes()).decode()


def _outside(analysis: Analysis, shown: Array) -> dict[str, Any]:
    """What the timesteps that are not shown add to each row, to each column, and to the whole."""
    weights, kept = analysis.weights.copy(), analysis.unpadded_loss.copy()
    weights.flat[shown] = kept.flat[shown] = 0.0
    columns = weights.shape[1]
    rows, timesteps = np.unique(shown // columns), np.unique(shown % columns)
    return {
        "rows": _finite(kept[rows].sum(axis=1)),
        "columns": _finite(kept[:, timesteps].sum(axis=0)),
        "total": {
            "sum": _finite(kept.sum(keepdims=True).ravel())[0],
            "weights": _finite(weights.sum(keepdims=True).ravel())[0],
            "nonzero": int(np.count_nonzero(weights)),
            "first": int(np.count_nonzero(weights[:, 0])),
        },
    }


def _finite(numbers: Array) -> list[float | None]:
    """For JSON, which knows no NaN and no ∞: None, from which NaN follows."""
    return [float(number) if np.isfinite(number) else None for number in numbers]
