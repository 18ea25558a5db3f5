"""What a browser needs to draw the equation again by itself, while the user's hand changes the mask or a timestep."""

from base64 import b64encode
from typing import Any

import numpy as np

from lossviz.analysis import Analysis
from lossviz.edits import float_format
from lossviz.figures._core.cells import Window, glyph, window_of
from lossviz.figures._core.quantity import Quantity, quantity_named
from lossviz.figures._core.style import MARKS, theme_named
from lossviz.figures._core.sums import divisor_words
from lossviz.figures._core.text import visible
from lossviz.masking import FROM_TARGETS, resolve_mask
from lossviz.reductions import follow

__all__ = ["LISTED_CLASSES", "MOST_CLASSES", "live_equation"]

Array = np.ndarray
LISTED_CLASSES = 1000
"""Up to so many classes a browser gets the tokens of all."""
MOST_CLASSES = 8192
"""Up to so many classes a browser gets the logits of the selected timestep: 64 KB."""


def live_equation(
    analysis: Analysis,
    *,
    quantity: str | Quantity = "loss",
    window: tuple[int, int, int, int] | None = None,
    theme: str = "light",
    cell: tuple[int, int] | None = None,
) -> dict[str, Any]:
    """The numbers from which the unpadded loss, the sums and the number follow under another mask, as JSON.

    With a cell, also what its loss follows from under another target or another logit.

    What the cells show and the weights of the timesteps that are shown are base64 of float64, [rows × columns] in
    order; what lies outside of the window is added up. `divisor` is None where only the server can tell the number.
    `reads` says what a classifier's mask keeps before one timestep of each sequence is read; else it is None.
    `timestep` holds the logits of the cell; it is None where only the server can tell what another target would change.

    Args:
        analysis: every number of a batch, [B, T].
        quantity: as in `equation`; only the loss has sums and a number.
        window: (row0, row1, t0, t1), the part that is shown, ends exclusive; by default all of it.
        theme: "light" or "dark".
        cell: (b, t), the selected timestep, whose logits may still be in their file.

    Raises:
        InputError: if that file was written to since it was opened.

    >>> from lossviz import Batch, analyze
    >>> batch = Batch.from_arrays(logits=np.zeros((2, 2, 4)), targets=[[1, 2], [3, 0]], lengths=[2, 1])
    >>> live = live_equation(analyze(batch), cell=(0, 1))
    >>> live["shape"], live["divisor"]["weights"], live["words"]["ones"], live["outside"]["total"]["sum"]
    ([2, 2], 1.0, 'timesteps that count', 0.0)
    >>> live["timestep"]["target"], live["timestep"]["float"]["digits"], live["labels"]["ids"]
    (2, 52, [1, 2, 3, 0])
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
        "labels": _labels(analysis, part),
        "timestep": _timestep(analysis, part, what, cell),
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


def _labels(analysis: Analysis, part: Window) -> dict[str, Any]:
    """The targets that are shown, and the tokens of a few classes: as they are typed, and drawn where that differs."""
    batch = analysis.batch
    classes = batch.shape[2] if analysis.has_logits else 0
    listed = [batch.token(v)[:80] for v in range(classes)] if 1 < classes <= LISTED_CLASSES else None
    return {
        "ids": part.of(batch.targets).ravel().tolist(),
        "classes": listed,
        "drawn": {v: drawn for v, word in enumerate(listed or ()) if (drawn := visible(word)) != word},
        "is_named": batch.vocabulary is not None,
        "pad_id": batch.pad_id,
        "are_drawn": not (analysis.is_classifier and batch.inputs is not None),  # then cells show what was read
    }


def _timestep(
    analysis: Analysis, part: Window, quantity: Quantity, cell: tuple[int, int] | None
) -> dict[str, Any] | None:
    """The logits of a timestep, of a sigmoid (0, z), and how the batch holds them; None where no loss follows."""
    if cell is None or quantity.name != "loss" or not analysis.has_logits or analysis.mask_name in FROM_TARGETS:
        return None
    shown = part.row0 <= cell[0] < part.row1 and part.t0 <= cell[1] < part.t1
    if not shown or analysis.classes > MOST_CLASSES or not analysis.is_class[cell]:
        return None
    scores = analysis.scores_at(*cell)
    if not np.isfinite(scores.max()):  # NaN or +∞ among them, or all −∞: no loss that a formula gives
        return None
    return {
        "cell": list(cell),
        "target": int(analysis.batch.targets[cell]),
        "logits": _encoded(scores),
        "float": float_format(analysis.batch.logits.dtype),
        "is_sigmoid": analysis.is_classifier,
    }


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
